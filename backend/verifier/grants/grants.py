"""Law 3: no value on a card but by a grant that the issuer signed, bound to its
purse, and backed by an approved order.

Read first (signatures, bindings), judged later (amounts), because a grant's
``base_spent`` must be what the purse's history says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from backend.verifier.decoder import cose, entries
from backend.verifier.export.people import are_two
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law
from backend.verifier.registry import TRAINING_ISSUER, PurseKey, Registry
from backend.verifier.workbook import Workbook

_PREFIX = b"borsellino/1/grant\x00"
DAY_LIMIT_MAX_EUR = 655


@dataclass(frozen=True, slots=True)
class Grant:
    """A signed grant; amounts are cumulative cents of its slot."""

    row: Row
    order: str
    purse: PurseKey
    slot: int
    seq: int
    programme: int
    granted: int
    base_spent: int
    base_ctr: int
    digest: bytes
    state: str

    @property
    def counts(self) -> bool:
        """Whether its value may be on a card."""
        return self.state != "void"

    @property
    def confirmed(self) -> bool:
        """Whether a card was seen to carry it."""
        return self.state in ("on_card", "superseded")


@dataclass(frozen=True, slots=True)
class Order:
    """A load order; cents."""

    row: Row
    id: str
    source: str
    award: str | None
    purse: PurseKey
    slot: int
    pool: tuple[int, str]
    """Programme and funding source."""
    delta: int
    carried: int
    approved: bool
    by_two: bool


@dataclass(slots=True)
class Grants:
    """All grants and orders, by number."""

    by_number: dict[tuple[PurseKey, int], Grant] = field(default_factory=dict)
    by_digest: dict[bytes, Grant] = field(default_factory=dict)
    by_order: dict[str, list[Grant]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)

    def before(self, grant: Grant) -> Grant | None:
        """The grant of the same slot that counted when this one was signed."""
        earlier = (
            other
            for other in self.of_slot(grant.purse, grant.slot)
            if other.seq < grant.seq and other.counts
        )
        return max(earlier, key=lambda other: other.seq, default=None)

    def of_slot(self, purse: PurseKey, slot: int) -> Iterator[Grant]:
        """The grants of one wallet, in no order."""
        return (grant for grant in self._by_slot.get((purse, slot), ()))

    _by_slot: dict[tuple[PurseKey, int], list[Grant]] = field(default_factory=dict)

    def add(self, grant: Grant) -> None:
        """Files a grant under everything it is looked up by."""
        self.by_number[grant.purse, grant.seq] = grant
        self.by_digest[grant.digest] = grant
        self.by_order.setdefault(grant.order, []).append(grant)
        self._by_slot.setdefault((grant.purse, grant.slot), []).append(grant)

    def slots(self) -> Iterator[tuple[PurseKey, int]]:
        """Every wallet that was ever granted anything."""
        return iter(self._by_slot)


def read_grants(export: Export, registry: Registry, book: Workbook, findings: Findings) -> Grants:
    """Reads orders.jsonl and grants.jsonl and checks every signature and binding."""
    reading = _Reading(Grants(), registry, book, findings)
    for row in export.rows("orders.jsonl"):
        reading.order(row)
    for row in export.rows("grants.jsonl"):
        reading.grant(row)
    return reading.grants


@dataclass(frozen=True, slots=True)
class _Reading:
    grants: Grants
    registry: Registry
    book: Workbook
    findings: Findings

    def _once(self, row: Row, what: str, number: str) -> bool:
        return self.findings.once(self.book, what, number, row.place(f"{what} {number}"))

    def order(self, row: Row) -> None:
        if row["issuer"] == TRAINING_ISSUER:
            self.findings.trust("TRAINING_EXCLUDED")
        elif self._once(row, "order", row["order"]):
            self.grants.orders[row["order"]] = Order(
                row, row["order"], row["source"], row["award"], (row["issuer"], row["purse"]),
                row["slot"], (row["programme"], row["funding_source"]), row["delta_cents"],
                row["carried_over_cents"],
                approved=bool(row["approved_by"]) and row["approved_at"] is not None,
                by_two=by_two_people(row),
            )  # fmt: skip

    def grant(self, row: Row) -> None:
        if row["issuer"] == TRAINING_ISSUER:
            self.findings.trust("TRAINING_EXCLUDED")
            return
        grant = _decode(row)
        place = row.place(f"grant {grant.seq}")
        number = f"{grant.purse[0].hex()}-{grant.purse[1].hex()}:{grant.seq}"
        known = self.grants.by_number.get((grant.purse, grant.seq))
        if known is not None and known.digest != grant.digest:
            twice = self._fault(row, grant) or "GRANT_SEQ_TWICE"
            self.findings.add(Law.GRANTED, twice, place, order=grant.order, grant=grant.seq)
            return
        if not self._once(row, "grant", number):
            return
        code = self._fault(row, grant)
        if code is not None:
            self.findings.add(Law.GRANTED, code, place, order=grant.order, grant=grant.seq)
        self.grants.add(grant)

    def _fault(self, row: Row, grant: Grant) -> str | None:
        core, clear = row["info_core"], row["grant"]
        if grant.purse not in self.registry.purses:
            return "GRANT_PURSE_UNKNOWN"
        if (core[9:12], core[1:9]) != grant.purse:
            return "GRANT_OTHER_PURSE"
        if grant.state == "on_card" and core != self.registry.purses[grant.purse]:
            return "GRANT_OTHER_CORE"
        key = self.registry.issuers.get((row["issuer"], clear[26]))
        if key is None:
            return "GRANT_KEY_UNKNOWN"
        if not cose.signature_holds(key, _PREFIX + core + clear, row["signature"]):
            return "GRANT_SIGNATURE"
        limit, flags = int.from_bytes(clear[24:26], "big"), clear[23]
        if flags or limit > DAY_LIMIT_MAX_EUR or not 1 <= grant.slot <= 6:
            return "GRANT_FIELDS"
        return None


def by_two_people(row: Row) -> bool:
    """Whether somebody is named who asked for it, and another person who approved it."""
    return are_two(row["requested_by"], row["approved_by"])


def _decode(row: Row) -> Grant:
    clear = row["grant"]

    def number(at: int, size: int) -> int:
        return int.from_bytes(clear[at : at + size], "big")

    return Grant(
        row=row, order=row["order"], purse=(row["issuer"], row["purse"]), slot=clear[0],
        seq=number(1, 3), programme=number(4, 2), granted=number(14, 3),
        base_spent=number(17, 3), base_ctr=number(20, 3),
        digest=entries.digest(clear + row["signature"]), state=row["state"],
    )  # fmt: skip
