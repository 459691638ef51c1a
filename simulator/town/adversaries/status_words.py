"""Attack 4: status words that the till must not believe.

In turn: the debit never arrives and a bare 9000 comes back; the debit goes through and 6985
comes back. (A debit that is held back, and released later: ``held_back_debit``.)
"""

from cardlib.codec.commands import INS_UPDATE_RECORD
from cardlib.codec.status import Status
from cardlib.wire.entry_body import Committed, How
from simulator.faults import ForgedStatus, HeldBack, every, nth
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import Scene, TillAttack, closed_by, spent

_READ_AFRESH = "a fresh read"


class StatusWords(TillAttack):
    """The holder's own card and PIN, and a board that answers for the card."""

    name = "believed status words"
    expectation = Expectation(
        source="PROTOCOL 1.4", claim=Claim.STOPPED, seen_by="a fresh read, which alone decides",
        refused_by=(frozenset({"RECOVERY_NOT_APPLIED"}), frozenset({_READ_AFRESH})),
    )  # fmt: skip
    tries = 4

    def strike(self, scene: Scene) -> None:
        """One of the two, in turn; cents that chip and counter disagree about."""
        card, line = OpenedCard(scene.town, scene.citizen), scene.citizen.line()
        before = spent(card)
        if self.tally.attempts % 2:
            goods = self.buy(scene, HeldBack(line, every(INS_UPDATE_RECORD), Status.OK))
        else:
            goods = self.buy(scene, ForgedStatus(line, nth(1, INS_UPDATE_RECORD)))
            self.refused(_READ_AFRESH, int(_closed_by_a_read(scene)))
        self.tally.gain += abs(goods - (spent(card) - before))


def _closed_by_a_read(scene: Scene) -> bool:
    """Whether the till's newest sale is known from a read, and not from the debit's answer."""
    newest = closed_by(scene.register)
    return isinstance(newest, Committed) and newest.how is not How.DIRECT
