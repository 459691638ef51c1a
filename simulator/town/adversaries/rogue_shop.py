"""A merchant whose till says whatever he wants, with its own keys and a journal that is in order.

It is enabled and settled like any other. Its agent is the real one: what it sends is well
formed, signed and chained; only what it *says* is false.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from cardlib.calendar import day_at
from cardlib.codec.purse import Spend, SpendType, Totals, day_number
from cardlib.codec.status import Status
from cardlib.keys import records
from cardlib.keys.intent_rule import PREV_SIZE, planned_spend, record_hash, totals_after
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import (
    AttestedRead,
    Body,
    Committed,
    How,
    Intent,
    Line,
    Plan,
    Proof,
    Shown,
)
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import Seq, TerminalNumber
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.plan.finale import FINALE
from simulator.town.plan.model import Happening, Kind
from simulator.town.plan.people import town_iban
from simulator.town.state import Town
from terminal.journal.journal import Journal
from terminal.sale.day_spent import after_sale, spent_today

_JUDGED = (
    "SELECT s.state, coalesce(nullif(s.reason, ''), c.code) FROM posting s"
    " LEFT JOIN suspense_case c ON c.id = s.case_id WHERE s.terminal = ? AND s.intent_seq = ?"
)
"""Why a claim is held back, or was when people decided."""


class RogueShop:
    """One rogue merchant. ``goods``: cents of goods that he truly gave for vouchers."""

    def __init__(self, town: Town, name: str) -> None:
        self._world = town
        self.key = f"rogue-{name.replace(' ', '-')}"
        self.iban = town_iban(900 + sum(name.encode()))
        self.goods = 0
        town.founding.register_merchant(self.key, "Bottega Disonesta", self.iban)
        self.register = town.enrol_till(self.key, 0)
        town.declared.rogue_terminal(self.register.terminal)
        self.register.open()

    @property
    def paid(self) -> int:
        """Cents that the bank truly sent him."""
        return self._world.truth.paid[self.iban]

    @property
    def terminal(self) -> TerminalNumber:
        """The number of its till."""
        return TerminalNumber(self.register.terminal)

    @property
    def journal(self) -> Journal:
        """The journal of its till, to write anything into."""
        assert self.register.till is not None
        return self.register.till.journal

    def synchronise(self) -> None:
        """A round of its agent: everything that is in the journal, and a heartbeat."""
        self.register.synchronise()

    def close_with_the_others(self, happening: Happening) -> None:
        """At the end of a history it reports like any other: who does not is not paid."""
        if happening.kind is Kind.CLOSE_TILL and happening.id.startswith(FINALE):
            self.synchronise()

    # what it says -------------------------------------------------------------------------------

    def intend(
        self, card: OpenedCard, slot: int, cents: int, *, before: Spend | None = None,
        totals: Totals | None = None, voided: int | None = None,
    ) -> tuple[Entry, bytes]:  # fmt: skip
        """An intent in the journal, and the record that it announces.

        ``before``: what the card is said to hold, if not what it does; ``totals``: what shall
        stand on it afterwards, if not what follows.
        """
        newest = card.newest if before is None else before
        sealed = card.newest_record if before is None else self.seal(card, before)
        kind = SpendType.SALE if voided is None else SpendType.VOID
        signed = card.grants[slot]
        category = (signed.grant.categories & -signed.grant.categories).bit_length() - 1
        lines = (Line(slot, signed.grant.grant_seq, category, cents),)
        s1, s2, s3, s4, s5, s6 = totals_after(newest.spent, lines, kind)
        now = self._world.time.now_s
        plan = Plan(
            newest.ctr + 1, totals or (s1, s2, s3, s4, s5, s6), now,
            after_sale(spent_today(newest, day_number(day_at(now))), cents),
            record_hash(sealed)[:PREV_SIZE], kind,
        )  # fmt: skip
        intent = Intent(
            info_core=card.info.core, newest_record=sealed, newest_index=1, plan=plan,
            lines=lines, grant_hashes=(signed.hash,), other_cents=0, shown=(Shown(slot, 0, 0),),
            pin_asked=True, voided=Seq(voided) if voided is not None else None,
        )  # fmt: skip
        entry = self.journal.append(intent)
        return entry, self.seal(card, planned_spend(entry, intent))

    def commit(self, entry: Entry, record: bytes, read: AttestedRead | None = None) -> Entry:
        """The sale (or void) entry of an intent; ``read`` is what proves it, or seems to."""
        assert isinstance(entry.body, Intent)
        kind = EntryType.VOID if entry.body.voided is not None else EntryType.SALE
        read = read or AttestedRead(1, record, bytes(8), bytes(8))
        return self.append(
            Committed(
                type=kind, intent_seq=entry.header.seq, intent_hash=entry.hash, record=record,
                random=read.random, tc=read.tc, index=read.index, how=How.DIRECT,
                receipt=entry.header.seq,
            )
        )  # fmt: skip

    def sell(self, card: OpenedCard, slot: int, cents: int) -> bool:
        """A sale as it should be, on the real chip; whether the chip took it."""
        entry, record = self.intend(card, slot, cents)
        spend = records.open_spend(card.keys.record, record)
        assert spend is not None
        if card.write(spend) != Status.OK:
            return False
        self.commit(entry, record, card.attest())
        self.goods += cents
        return True

    def prove(self, card: OpenedCard, *reads: AttestedRead) -> None:
        """A proof entry with these reads."""
        self.append(Proof(info_core=card.info.core, reads=reads))

    def believed(self, claims: Iterable[int], reasons: Collection[str]) -> list[str]:
        """Those of its claims that the books did not hold back for one of ``reasons``."""
        return believed(self._world, self.terminal, claims, reasons)

    def append(self, body: Body) -> Entry:
        """Anything else."""
        return self.journal.append(body)

    @staticmethod
    def seal(card: OpenedCard, spend: Spend) -> bytes:
        """The record at rest."""
        return records.seal_spend(card.keys.record, spend)


def lowered(spend: Spend, slot: int, cents: int) -> Spend:
    """The same record with a total of one slot that is lower by ``cents``."""
    spent = list(spend.spent)
    spent[slot - 1] -= cents
    s1, s2, s3, s4, s5, s6 = spent
    return replace(spend, spent=(s1, s2, s3, s4, s5, s6))


def believed(
    town: Town, terminal: int, claims: Iterable[int], reasons: Collection[str]
) -> list[str]:
    """Those intents of a till that the books did not hold back for one of ``reasons``."""
    found = list[str]()
    with town.engine.connect() as books:
        for seq in claims:
            rows = books.exec_driver_sql(_JUDGED, (terminal, seq)).all()
            if not rows or any(reason not in reasons for _, reason in rows):
                found.append(f"claim {terminal}:{seq} is {rows}")
    return found
