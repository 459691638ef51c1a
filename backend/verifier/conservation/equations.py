"""Law 1 as a whole: the two equations of PROTOCOL 7, and no account below zero.

Per wallet ``G_confirmed = S_posted + on_card + expired_pending + blocked + left - over``;
per programme and funding source, what was funded is where the accounts say it is.
"""

from collections import Counter
from collections.abc import Mapping

from backend.verifier.findings import Findings, Law, Place
from backend.verifier.grants.given_up import GivenUp
from backend.verifier.grants.grants import Grant, Grants
from backend.verifier.ledger.ledger import CONTRA_KINDS, SLOT_KINDS, Ledger, Pool
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook


class EquationAudit:
    """Judges the books' sums after every document was judged by itself."""

    def __init__(self, grants: Grants, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._grants = grants
        self._ledger = ledger
        self._book = book
        self._findings = findings
        self._given_up = GivenUp(grants, ledger, book)
        self._balances: Counter[str] = Counter()
        self.by_kind: Counter[str] = Counter()
        """Cents by kind of account, for the report."""

    def check(self, funded: Mapping[Pool, int]) -> None:
        """Judges transfers without a document, balances, pools and wallets."""
        self._check_documents()
        self._add_up()
        self._check_pools(funded)
        slots = set(self._grants.slots()) | {
            (account.purse, account.slot)
            for account in self._ledger.accounts.values()
            if account.kind in SLOT_KINDS and account.purse and account.slot is not None
        }
        for purse, slot in sorted(slots):
            self._check_slot(purse, slot)

    def _check_documents(self) -> None:
        for kind, number, line, transfers in self._book.ask(
            "SELECT ref_kind, ref_id, min(line), group_concat(id, ', ') FROM transfer"
            " LEFT JOIN judged USING (ref_kind, ref_id) WHERE judged.ref_id IS NULL"
            " GROUP BY ref_kind, ref_id"
        ):
            place = Place("transfers.jsonl", line, document=f"{kind} {number}")
            self._findings.add(
                Law.CONSERVATION, "TRANSFER_WITHOUT_DOCUMENT", place,
                kind=kind, document=number, transfers=transfers,
            )  # fmt: skip

    def _add_up(self) -> None:
        for account, cents in self._book.stream(
            "SELECT account, sum(cents) FROM (SELECT dst AS account, cents FROM transfer"
            " UNION ALL SELECT src, -cents FROM transfer) GROUP BY account"
        ):
            kind = self._ledger.accounts[account].kind
            self._balances[account] = cents
            self.by_kind[kind] += cents
            wrong = cents > 0 if kind in CONTRA_KINDS else cents < 0
            if wrong and kind != "payable":
                place = Place("accounts.jsonl", document=account)
                self._findings.add(
                    Law.CONSERVATION, "ACCOUNT_WRONG_SIDE", place, account=account, cents=cents
                )

    def _check_pools(self, funded: Mapping[Pool, int]) -> None:
        held: Counter[Pool] = Counter()
        for number, cents in self._balances.items():
            account = self._ledger.accounts[number]
            if account.kind != "external":
                held[account.pool] += cents
        for pool in sorted(held.keys() | funded.keys()):
            if held[pool] != funded.get(pool, 0):
                label = " / ".join(map(str, pool))
                place = Place("accounts.jsonl", document=label)
                self._findings.add(
                    Law.CONSERVATION, "POOL_UNBALANCED", place,
                    pool=label, wanted=funded.get(pool, 0), booked=held[pool],
                )  # fmt: skip

    def _check_slot(self, purse: PurseKey, slot: int) -> None:
        grant = self._newest(purse, slot)
        since = 0 if grant is None else self._given_up.since(grant)
        granted = 0 if grant is None else grant.granted
        present = sum(self._balances[account.id] for account in self._ledger.of_slot(purse, slot))
        posted, over = self._claims(purse, slot, since)
        left = 0 if grant is None else self._given_up.left(grant)
        if granted != posted + present + left - over:
            label = f"{purse[0].hex()}-{purse[1].hex()} slot {slot}"
            self._findings.add(
                Law.CONSERVATION, "WALLET_UNBALANCED", Place("accounts.jsonl", document=label),
                wallet=label, granted=granted, posted=posted, present=present, left=left, over=over,
            )  # fmt: skip

    def _newest(self, purse: PurseKey, slot: int) -> Grant | None:
        confirmed = (grant for grant in self._grants.of_slot(purse, slot) if grant.confirmed)
        return max(confirmed, key=lambda grant: grant.seq, default=None)

    def _claims(self, purse: PurseKey, slot: int, since: int) -> tuple[int, int]:
        """Cents posted on the live chain, and what of it exposure pays since the last grant."""
        found = self._book.ask(
            "SELECT coalesce(sum(cents), 0),"
            " coalesce(sum(CASE WHEN by > ? THEN lacked ELSE 0 END), 0)"
            " FROM claimed WHERE issuer = ? AND purse = ? AND slot = ?",
            (since, *purse, slot),
        )
        return int(found[0][0]), int(found[0][1])
