"""Law 3 in amounts: grants follow from approved orders, orders from awards.

A new grant carries ``base_spent + carried over + delta``; what is carried over is
what the wallet held, or nothing; what an award gave is never ordered twice.
"""

from collections import Counter
from dataclasses import dataclass

from backend.verifier.decoder import cose
from backend.verifier.export.reader import Export, Row
from backend.verifier.findings import Findings, Law, Place
from backend.verifier.grants.given_up import GivenUp
from backend.verifier.grants.grants import Grant, Grants, Order, by_two_people
from backend.verifier.ledger.ledger import Ledger
from backend.verifier.purses.histories import totals_of
from backend.verifier.registry import PurseKey, Registry
from backend.verifier.workbook import Workbook

_FILE = "grants.jsonl"
_PREFIX = b"borsellino/1/grant\x00"
_TERMS = (slice(0, 1), slice(4, 14), slice(23, 26))
"""Of a grant: slot; programme, categories and validity; flags and day limit."""

_ON_CARD = ("on_card", "superseded")
_ORDER_STATES = {
    "approved": ("",), "void": ("",), "loading": ("loading",), "on_card": _ON_CARD,
    "superseded_on_card": _ON_CARD,
}  # fmt: skip
"""What the grant of an order may be, by the order's state; empty: none that is not void."""


@dataclass(frozen=True, slots=True)
class Award:
    """What a household was given, less what was taken back; cents."""

    row: Row
    cents: int
    pool: tuple[int, str]
    approved: bool


class GrantAudit:
    """Judges grants against orders, orders against awards, and what tills saw."""

    def __init__(
        self,
        grants: Grants,
        registry: Registry,
        ledger: Ledger,
        book: Workbook,
        findings: Findings,
    ) -> None:
        self._grants = grants
        self._given_up = GivenUp(grants, ledger, book)
        self._registry = registry
        self._book = book
        self._findings = findings
        self.awards: dict[str, Award] = {}

    def check(self, export: Export) -> None:
        """Judges every grant of the export, every budget, every grant seen by a till."""
        self._read_awards(export)
        self._check_seen()
        for grant in self._grants.by_number.values():
            order = self._grants.orders.get(grant.order)
            code = self._order_fault(grant, order)
            if code is not None or order is None:
                self._add(code or "GRANT_WITHOUT_ORDER", grant)
            elif grant.counts:
                self._check_amounts(grant, order)
        self._check_orders()
        self._check_reuse()
        self._check_budgets()

    def _read_awards(self, export: Export) -> None:
        for row in export.rows("awards.jsonl"):
            place = row.place(f"award {row['award']}")
            if not self._findings.once(self._book, "award", row["award"], place):
                continue
            self.awards[row["award"]] = Award(
                row, row["amount_cents"] - row["withdrawn_cents"],
                (row["programme"], row["funding_source"]),
                approved=bool(row["approved_by"]) and row["approved_at"] is not None,
            )  # fmt: skip
            self._findings.trust("APPROVED_BY_WORD")
            if not by_two_people(row):
                self._fault_of(row, "AWARD_ONE_PERSON", row["award"])
            if row["act"] is not None and not row["act"].strip():
                self._fault_of(row, "AWARD_WITHOUT_ACT", row["award"])

    def _fault_of(self, row: Row, code: str, number: str) -> None:
        place = row.place(f"{code.partition('_')[0].lower()} {number}")
        self._findings.add(Law.GRANTED, code, place, id=number)

    def _check_orders(self) -> None:
        """Two people for every order that gives money; its state is that of its grant."""
        for order in self._grants.orders.values():
            if order.delta:
                self._findings.trust("APPROVED_BY_WORD")
            if order.delta and not order.by_two:
                self._fault_of(order.row, "ORDER_ONE_PERSON", order.id)
            counting = [g.state for g in self._grants.by_order.get(order.id, ()) if g.counts]
            state = order.row["state"]
            if (
                state in _ORDER_STATES
                and (counting[0] if counting else "") not in (_ORDER_STATES[state])
            ):
                self._fault_of(order.row, "ORDER_STATE_OTHER", order.id)

    def _order_fault(self, grant: Grant, order: Order | None) -> str | None:
        if order is None:
            return "GRANT_WITHOUT_ORDER"
        if (order.purse, order.slot) != (grant.purse, grant.slot):
            return "ORDER_OTHER_PURSE"
        if order.pool[0] != grant.programme:
            return "ORDER_OTHER_PROGRAMME"
        if not order.approved or not (order.delta or self._is_signed_anew(grant)):
            return "ORDER_NOT_APPROVED"
        if order.source != "award":
            self._findings.trust("ORDER_OF_" + order.source.upper())
            return None
        award = self.awards.get(order.award or "")
        if award is None or not award.approved:
            return "ORDER_WITHOUT_AWARD"
        return None if award.pool == order.pool else "ORDER_OTHER_PROGRAMME"

    def _is_signed_anew(self, grant: Grant) -> bool:
        """Whether it only takes a wallet over to another INFO core, as a key-set change does."""
        before = self._grants.before(grant)
        if before is None or before.row["info_core"] == grant.row["info_core"]:
            return False
        old, new = before.row["grant"], grant.row["grant"]
        return all(old[terms] == new[terms] for terms in _TERMS)

    def _check_amounts(self, grant: Grant, order: Order) -> None:
        if grant.granted - grant.base_spent != order.carried + order.delta:
            self._add(
                "GRANT_AMOUNT", grant, granted=grant.granted,
                wanted=grant.base_spent + order.carried + order.delta,
            )  # fmt: skip
        known = totals_of(self._book, grant.purse, grant.base_ctr)
        spent = [totals[grant.slot - 1] for totals in known]
        if not spent:
            self._findings.trust("BASE_BY_BACKEND")
        elif grant.base_spent not in spent:
            self._add("GRANT_BASE", grant, base=grant.base_spent, wanted=spent[0])
        held = self._held(grant)
        if order.carried not in ((0, *held) if order.delta else held):
            self._add("CARRIED_OVER_WRONG", grant, carried=order.carried, wanted=held[-1])

    def _held(self, grant: Grant) -> list[int]:
        """What may be carried over: the old wallet's rest, within one programme."""
        before = self._grants.before(grant)
        if before is None or before.programme != grant.programme:
            return [0]
        return rests_of(self._given_up, before, grant)

    def _check_reuse(self) -> None:
        for grants in self._grants.by_order.values():
            counting = [grant for grant in grants if grant.counts]
            for grant in counting[1:]:
                self._add("ORDER_TWICE", grant)

    def _check_budgets(self) -> None:
        ordered: Counter[str] = Counter()
        for grant in self._grants.by_number.values():
            order = self._grants.orders.get(grant.order)
            if grant.counts and order is not None and order.source == "award" and order.award:
                ordered[order.award] += order.delta
        for number, cents in ordered.items():
            award = self.awards.get(number)
            if award is not None and cents > award.cents:
                self._findings.add(
                    Law.GRANTED, "AWARD_EXCEEDED", award.row.place(f"award {number}"),
                    award=number, granted=cents, wanted=award.cents,
                )  # fmt: skip

    def _check_seen(self) -> None:
        """A grant that a till saw on a card must be one that the town lists."""
        for digest, terminal, seq, line, octets in self._book.ask("SELECT * FROM seen"):
            listed = self._grants.by_digest.get(digest)
            if listed is not None:
                if not listed.counts:
                    self._findings.trust("SEEN_GRANT_VOID")
                continue
            purse = self._signed_for(octets)
            if purse is None:
                self._findings.trust("SEEN_GRANT_UNSIGNED")
                continue
            place = Place("entries.jsonl", line, terminal, seq)
            number = int.from_bytes(octets[1:4], "big")
            twice = (purse, number) in self._grants.by_number
            code = "GRANT_SEQ_TWICE" if twice else "GRANT_UNLISTED"
            self._findings.add(Law.GRANTED, code, place, grant=number)

    def _signed_for(self, octets: bytes) -> PurseKey | None:
        """The purse of this export that an issuer of this export signed it for."""
        clear, signature = octets[:27], octets[27:]
        cores = {(town, core) for (town, _), core in self._registry.purses.items()}
        cores |= {
            (grant.purse[0], grant.row["info_core"]) for grant in self._grants.by_number.values()
        }
        return next(
            (
                (town, core[1:9])
                for (issuer, key_id), key in self._registry.issuers.items()
                if key_id == clear[26]
                for town, core in cores
                if town == issuer and cose.signature_holds(key, _PREFIX + core + clear, signature)
            ),
            None,
        )

    def _add(self, code: str, grant: Grant, **facts: str | int) -> None:
        place = Place(_FILE, grant.row.line, document=f"grant {grant.seq}")
        self._findings.add(Law.GRANTED, code, place, order=grant.order, grant=grant.seq, **facts)


def rests_of(given_up: GivenUp, before: Grant, grant: Grant) -> list[int]:
    """Cents on the wallet of ``before`` when ``grant`` was signed, less what was given up.

    Several where nothing says when that was.
    """
    rest = before.granted - grant.base_spent
    return [max(0, rest - left) for left in given_up.at_signing(before, grant)]
