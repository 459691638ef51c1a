"""Law 1 in the ledger: chain, accounts and pots, transfer by transfer.

Every new transfer is the next one, carries the hash of the one before and its own, and moves
cents within one municipality, programme and funding source by a route that PROTOCOL 7 knows.
Every balance is the sum of its transfers. ``external`` has given what was funded.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from simulator.errors import TownError
from simulator.town.checks.evidence import breach
from simulator.town.checks.routes import ROUTES
from simulator.town.checks.sql import Row, Sql

Pot = tuple[int, int | None, int | None]
_CONTRA = frozenset({"external", "exposure", "loss"})
_TAIL = (
    "SELECT id, kind, source_id, target_id, cents, event_time, booked_at, ref_kind, ref_id,"
    " prev_hash, hash FROM transfer WHERE id > ? ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """An account as stored."""

    id: int
    code: str
    kind: str
    pot: Pot
    purse: int | None
    slot: int | None
    merchant: int | None


@dataclass(frozen=True, slots=True)
class SeenTransfer:
    """A transfer as stored; ``document`` is kind and id of what it goes back to."""

    id: int
    source: SeenAccount
    target: SeenAccount
    cents: int
    document: tuple[str, str]


@dataclass(slots=True)
class LedgerWatch:
    """The ledger as far as it was read."""

    last: int = 0
    head: bytes = bytes(32)
    accounts: dict[int, SeenAccount] = field(default_factory=dict)
    balances: Counter[int] = field(default_factory=Counter)
    nets: dict[tuple[str, str], Counter[int]] = field(default_factory=dict)
    """Cents by account that the transfers of one document moved, all together."""
    lent: dict[tuple[str, str], int] = field(default_factory=dict)
    """The last transfer of a document that touched exposure."""

    def read(self, sql: Sql) -> list[SeenTransfer]:
        """Takes in what is new; TownError ``TOWN_LEDGER_BROKEN``."""
        rows = sql.ask(_TAIL, self.last)
        if not rows:
            return []
        self._learn_accounts(sql)
        new = [self._take(row) for row in rows]
        self._check_head(sql)
        self._check_balances(sql, {end.id for one in new for end in (one.source, one.target)})
        self._check_funded(sql, new)
        return new

    def check_all(self, sql: Sql) -> None:
        """Every account's balance and the whole chain from the first transfer on."""
        self._learn_accounts(sql)
        self._check_head(sql)
        self._check_balances(sql, None)
        again = LedgerWatch(accounts=self.accounts)
        for row in sql.ask(_TAIL, 0):
            again._take(row)
        if (again.last, again.head) != (self.last, self.head):
            raise _broken("transfer", f"{again.last} transfers stand where {self.last} were read")
        if again.balances != self.balances:
            raise _broken("transfer", "the transfers are no longer those that were read")

    def balance_of(self, ids: Iterable[int]) -> int:
        """Cents in these accounts together."""
        return sum(self.balances[one] for one in ids)

    def _learn_accounts(self, sql: Sql) -> None:
        query = (
            "SELECT id, code, kind, municipality_id, programme_id, funding_source_id, purse_id,"
            " slot, merchant_id FROM account WHERE id > ?"
        )
        for number, code, kind, town, programme, source, *owner in sql.ask(
            query, max(self.accounts, default=0)
        ):
            self.accounts[number] = SeenAccount(
                number, code, kind, (town, programme, source), *owner
            )

    def _take(self, row: Row) -> SeenTransfer:
        number, kind, source_id, target_id, cents, event, booked, ref_kind, ref_id, prev, digest = (
            row
        )
        source, target = self.accounts[source_id], self.accounts[target_id]
        if number != self.last + 1 or bytes(prev) != self.head:
            raise _broken(f"transfer {number}", f"it does not follow transfer {self.last}", cents)
        text = json.dumps(
            {
                "amount_cents": cents, "booked_at": booked, "event_time": event,
                "from": source.code, "id": number, "kind": kind,
                "ref": {"id": ref_id, "kind": ref_kind}, "to": target.code,
            },
            sort_keys=True, separators=(",", ":"), ensure_ascii=False,
        )  # fmt: skip
        if sha256(bytes(prev) + text.encode()).digest() != bytes(digest):
            raise _broken(f"transfer {number}", "its hash is not that of its content", cents)
        if cents <= 0 or source.pot != target.pot or (source.kind, target.kind) not in ROUTES:
            raise _broken(f"transfer {number}", f"from {source.code} to {target.code}", cents)
        transfer = SeenTransfer(number, source, target, cents, (ref_kind, ref_id))
        self._book(transfer, bytes(digest))
        return transfer

    def _book(self, transfer: SeenTransfer, digest: bytes) -> None:
        self.last, self.head = transfer.id, digest
        source, target = transfer.source.id, transfer.target.id
        self.balances[source] -= transfer.cents
        self.balances[target] += transfer.cents
        net = self.nets.setdefault(transfer.document, Counter())
        net[source] -= transfer.cents
        net[target] += transfer.cents
        if "exposure" in (transfer.source.kind, transfer.target.kind):
            self.lent[transfer.document] = transfer.id

    def _check_head(self, sql: Sql) -> None:
        for number, digest in sql.ask("SELECT transfer_id, hash FROM ledger_head"):
            if (number, bytes(digest)) != (self.last, self.head):
                raise _broken("ledger_head", f"it names transfer {number} of {self.last}")

    def _check_balances(self, sql: Sql, ids: set[int] | None) -> None:
        query = "SELECT id, balance_cents FROM account"
        if ids is not None:
            query += f" WHERE id IN ({','.join(map(str, sorted(ids)))})"
        for number, cents in sql.ask(query):
            account = self.accounts[number]
            off = cents - self.balances[number]
            if off:
                raise _broken(account.code, f"its balance says {cents}", off)
            wrong = cents > 0 if account.kind in _CONTRA else cents < 0
            if wrong and account.kind != "payable":
                raise _broken(account.code, "its balance is on the wrong side", cents)

    def _check_funded(self, sql: Sql, new: Iterable[SeenTransfer]) -> None:
        """``funded`` = what all accounts of the pot hold = what ``external`` lacks."""
        if not any("external" in (one.source.kind, one.target.kind) for one in new):
            return
        given: defaultdict[Pot, int] = defaultdict(int)
        for account in self.accounts.values():
            if account.kind == "external":
                given[account.pot] -= self.balances[account.id]
        for town, programme, source, cents in sql.ask(
            "SELECT p.municipality_id, f.programme_id, f.funding_source_id, sum(f.cents)"
            " FROM funding f JOIN programme p ON p.id = f.programme_id GROUP BY 1, 2, 3"
        ):
            off = given.pop((town, programme, source), 0) - cents
            if off:
                raise _broken(f"programme {programme}", "funded is not what funders gave", off)
        for pot, cents in given.items():
            if cents:
                raise _broken(f"programme {pot[1]}", "money came in that nobody gave", cents)


def _broken(subject: str, what: str, cents: int = 0) -> TownError:
    return breach("TOWN_LEDGER_BROKEN", 1, subject, what, cents)
