"""Law 5, PROTOCOL 4 and 6: a shop tells two histories, and one of them twice.

It has its own till, and an old copy of its disk: the same sales are uploaded again and again,
and in the place of one of them another, larger one, signed with the same key. No leaked key is
needed: each till can sign what it likes.
"""

from dataclasses import replace
from typing import ClassVar

from cardlib.codec.purse import SpendType
from cardlib.keys.intent_rule import totals_after
from cardlib.wire.entry import Entry, encode_payload
from cardlib.wire.entry_body import Intent
from cardlib.wire.upload import Batch, Outcome
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.plan.model import Happening

_SALE, _MORE = 150, 1_500


class ForkedJournal(BooksAttack):
    """The same entry again is *exists*; another one in its place is kept, and an alarm."""

    name: ClassVar[str] = "forked journal"
    expectation: ClassVar[Expectation] = Expectation(
        source="DESIGN 2, law 5; PROTOCOL 4, 6", claim=Claim.STOPPED,
        seen_by="JOURNAL_FORKED at the upload of the second history",
        refused_by=(frozenset({"exists", "ENTRY_FORKED"}),), told_by=frozenset({"JOURNAL_FORKED"}),
    )  # fmt: skip

    def prepare(self) -> None:
        """Opens the shop."""
        self.open_shop()
        self.town.declared.expect("JOURNAL_FORKED", terminal=self.shop.register.terminal)

    def act(self, happening: Happening) -> None:
        """A small true sale; then everything again, and the same place with a larger one."""
        card = self.victim(happening)
        slot = self.slot_with(card, _SALE) if card else None
        if card is None or slot is None:
            return
        before = self.shop.journal.views.head().seq
        if not self.shop.sell(card, slot, _SALE):
            return
        self.shop.synchronise()
        sold = list(self.shop.register.entries(before))
        for complete in (sold, [self._larger(before)]):
            _, answer = self.shop.register.uplink.upload(Batch(self.shop.terminal, tuple(complete)))
            for verdict in answer.verdicts:
                known = verdict.outcome is Outcome.EXISTS
                self.tally.refuse("exists" if known else verdict.reason or "accepted")
        if "accepted" in self.tally.refusals:
            self.tally.overdue.append("a second history was taken in")
        self.tally.attempts += 1

    def _larger(self, before: int) -> bytes:
        """The intent after entry ``before`` once more, over more cents, signed with the key."""
        with self.shop.register.journal() as journal:
            told: Entry = journal.views.entry(before + 1).decode()
        intent = told.body
        assert isinstance(intent, Intent)
        lines = tuple(replace(line, cents=line.cents + _MORE) for line in intent.lines)
        s1, s2, s3, s4, s5, s6 = totals_after(intent.plan.totals, lines, SpendType.SALE)
        plan = replace(intent.plan, totals=(s1, s2, s3, s4, s5, s6))
        other = replace(intent, lines=lines, plan=plan)
        assert self.shop.register.till is not None
        return self.shop.register.till.module.sign_entry(encode_payload(told.header, other))

    def count(self) -> None:
        """What came above the goods."""
        self.tally.gain = self.shop.paid - self.shop.goods
