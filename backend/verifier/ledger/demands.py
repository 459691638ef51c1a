"""What a document demands of the ledger, and whether the ledger does it.

The transfers that name a document are added up by *spot* (where the money lies)
and compared. Transfers that cancel each other out do no harm: corrections are new
transfers, never changed ones.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backend.verifier.findings import Findings, Law, Place
from backend.verifier.ledger.ledger import SLOT_KINDS, Account, Ledger, Transfer
from backend.verifier.registry import PurseKey
from backend.verifier.workbook import Workbook

ANY_PROGRAMME = None


def booked(transfers: Iterable[Transfer], spot: Callable[[Account], str]) -> Counter[str]:
    """Cents that transfers moved into each spot, less those that they took from it."""
    sums: Counter[str] = Counter()
    for transfer in transfers:
        sums[spot(transfer.source)] -= transfer.cents
        sums[spot(transfer.target)] += transfer.cents
    return sums


def compare(
    findings: Findings,
    place: Place,
    demanded: Mapping[str, int],
    found: Mapping[str, int],
    transfers: Iterable[Transfer],
) -> None:
    """A finding for each spot where the ledger differs from the document."""
    numbers = ", ".join(str(transfer.id) for transfer in transfers) or "-"
    for spot in sorted(demanded.keys() | found.keys()):
        wanted, cents = demanded.get(spot, 0), found.get(spot, 0)
        if wanted != cents:
            findings.add(
                Law.CONSERVATION, "BOOKED_OTHERWISE", place,
                account=spot, wanted=wanted, booked=cents, transfers=numbers,
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Demand:
    """A sale or void as the books must show it.

    ``worth``: cents by slot, negative in a void; ``programmes``: of each slot;
    ``claim``: kind of account and merchant that the money is claimed by.
    """

    purse: PurseKey
    ctr: int
    worth: Mapping[int, int]
    programmes: Mapping[int, int | None]
    claim: tuple[str, str]
    place: Place

    @property
    def programmes_known(self) -> bool:
        """Without its grant nobody knows the programme of a slot."""
        return all(self.programmes.get(slot) is not ANY_PROGRAMME for slot in self.worth)

    def by_spot(self) -> Counter[str]:
        """Wallet less, claim more."""
        spots: Counter[str] = Counter()
        for slot, cents in self.worth.items():
            programme = self.programmes.get(slot)
            spots[self._label("wallet", "", programme)] -= cents
            spots[self._label(*self.claim, programme)] += cents
        return spots

    def spot(self, account: Account) -> str:
        """Where an account counts: exposure stands in for the wallet that lacked."""
        own = account.kind in SLOT_KINDS and account.purse == self.purse
        if own or account.kind == "exposure":
            return self._label("wallet", "", account.programme)
        if account.kind in ("payable", "suspense", "refund_due"):
            return self._label(account.kind, account.merchant or "", account.programme)
        return self._label(account.kind, account.id, account.programme)

    def _label(self, kind: str, owner: str, programme: int | None) -> str:
        of_programme = f" (programme {programme})" if self.programmes_known else ""
        return f"{kind} {owner}".strip() + of_programme


class DemandAudit:
    """Judges demands of sales; notes per slot what they took, for the wallets' equation."""

    def __init__(self, ledger: Ledger, book: Workbook, findings: Findings) -> None:
        self._ledger = ledger
        self._book = book
        self._findings = findings

    def check(self, demand: Demand, transfers: Sequence[Transfer], *, forked: bool = False) -> None:
        """A demand of the purse's live chain: its slots pay, exposure what they lack.

        ``forked``: another record was known in its place, so that exposure may have
        lent while that one was live.
        """
        compare(
            self._findings, demand.place, demand.by_spot(), booked(transfers, demand.spot),
            transfers,
        )  # fmt: skip
        paid, lent = taken(transfers), _lent(transfers)
        for slot in sorted(demand.worth.keys() | paid.keys()):
            cents = demand.worth.get(slot, 0)
            lacked = cents - paid[slot]
            spared = (
                lacked > 0 and not forked and self._had_money(demand.purse, slot, lent, transfers)
            )
            if spared or not min(0, cents) <= paid[slot] <= max(0, cents):
                self._not_charged(demand, slot, cents, paid[slot])
            by = max((t.id for t in transfers if _touches_exposure(t)), default=0)
            self._book.note("claimed", *demand.purse, slot, demand.ctr, cents, lacked, by)

    def check_off_chain(self, demand: Demand, transfers: Sequence[Transfer]) -> None:
        """A demand that no wallet pays: another branch's claim, lent by exposure; or none."""
        compare(
            self._findings, demand.place, demand.by_spot(), booked(transfers, demand.spot),
            transfers,
        )  # fmt: skip
        for slot, cents in taken(transfers).items():
            if cents:
                self._not_charged(demand, slot, 0, cents)

    def _not_charged(self, demand: Demand, slot: int, wanted: int, cents: int) -> None:
        self._findings.add(
            Law.CONSERVATION, "SLOT_NOT_CHARGED", demand.place,
            slot=slot, wanted=wanted, booked=cents,
        )  # fmt: skip

    def _had_money(
        self, purse: PurseKey, slot: int, lent: Transfer | None, transfers: Sequence[Transfer]
    ) -> bool:
        """Whether the wallet still held something after exposure had paid for it."""
        if lent is None:
            return True
        until = max(t.id for t in transfers if t.booked_at == lent.booked_at)
        return any(
            self._ledger.balance(account.id, until) > 0
            for account in self._ledger.of_slot(purse, slot)
            if account.programme == lent.source.programme
        )


def taken(transfers: Iterable[Transfer]) -> defaultdict[int, int]:
    """Cents that each slot paid."""
    slots: defaultdict[int, int] = defaultdict(int)
    for transfer in transfers:
        for account, sign in ((transfer.source, 1), (transfer.target, -1)):
            if account.kind in SLOT_KINDS and account.slot is not None:
                slots[account.slot] += sign * transfer.cents
    return slots


def _lent(transfers: Iterable[Transfer]) -> Transfer | None:
    """The last transfer that exposure paid."""
    lent = None
    for transfer in transfers:
        if transfer.source.kind == "exposure":
            lent = transfer
    return lent


def _touches_exposure(transfer: Transfer) -> bool:
    return "exposure" in (transfer.source.kind, transfer.target.kind)
