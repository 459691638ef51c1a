"""PROTOCOL 6, "terminal after its theft": a till is stolen with its module, opened, and used.

The thief sets its clock back to before the theft, debits cards that come with their PIN, and
sends the journal, so that the shop it belonged to (which shares with him) is paid.
"""

from typing import ClassVar

from simulator.town.actors.cashier import Cashier
from simulator.town.actors.register import Register
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.books_attack import BooksAttack
from simulator.town.adversaries.rogue_shop import believed
from simulator.town.plan.model import Happening, Kind

_CLAIMED = (
    "SELECT coalesce(sum(pp.cents), 0) FROM posting p JOIN posting_part pp ON pp.posting_id = p.id"
    " JOIN account a ON a.id = pp.holder_id"
    " WHERE a.kind IN ('payable', 'in_payment', 'paid') AND p.terminal = ? AND p.intent_seq > ?"
)
"""What the shop has been paid, or will be, whoever decided that."""
_BACK_S = 6 * 3600


class StolenTill(BooksAttack):
    """What was not told before the loss was recorded waits for a person, whatever its clock."""

    name: ClassVar[str] = "stolen till"
    expectation: ClassVar[Expectation] = Expectation(
        source="PROTOCOL 6", claim=Claim.STOPPED,
        seen_by="SALE_TERMINAL_LOST: a case at the upload of the first sale, and of each",
        told_by=frozenset({"SALE_TERMINAL_LOST"}),
    )  # fmt: skip
    turn: ClassVar[frozenset[Kind]] = frozenset({Kind.BUY, Kind.SYNC})

    def prepare(self) -> None:
        """Nothing stolen yet."""
        self.stolen: Register | None = None
        self.head = 0
        self.sold: list[int] = []

    def act(self, happening: Happening) -> None:
        """Steals a till that has just reported; then sells with it to whoever comes."""
        if self.stolen is None and happening.kind is Kind.SYNC:
            self._steal(happening.place)
        elif self.stolen is not None and happening.kind is Kind.BUY:
            self._sell(self.stolen, happening)

    def _steal(self, place: tuple[str, int]) -> None:
        stolen = self.town.registers.get(place)
        if stolen is None or stolen.gone:
            return
        was_open = stolen.till is not None
        new = self.town.new_till(place)
        if was_open:
            new.open()
        self.stolen, self.head = stolen, len(stolen.entries(0))
        self.terminals.add(stolen.terminal)
        self.town.declared.rogue_terminal(stolen.terminal)
        stolen.clock.jump(-_BACK_S)
        stolen.clock.reboot()
        stolen.gone = False
        stolen.open()

    def _sell(self, stolen: Register, happening: Happening) -> None:
        """For as much as the basket, with the till's own software, and uploads at once."""
        card = self.victim(happening)
        if card is None:
            return
        before = len(self.town.truth.deliveries)
        Cashier(self.town, happening).sell(stolen, card.citizen)
        sales = [item.seq for item in self.town.truth.deliveries[before:]]
        if sales:
            self.sold += sales
            self.purses.add(card.purse)
            self.tally.attempts += 1
        stolen.synchronise()

    def finish(self, happening: Happening) -> None:
        """Is at rest when the town looks at its last till."""
        if happening.kind is Kind.LINES_UP and self.stolen is not None:
            self.stolen.stop()
            self.stolen.gone = True

    def count(self) -> None:
        """What the shop was paid for its later sales: papers of a stolen till prove nothing."""
        if self.stolen is None:
            return
        with self.town.engine.connect() as connection:
            found = connection.exec_driver_sql(_CLAIMED, (self.stolen.terminal, self.head))
            self.tally.gain = int(found.scalar_one())
        self.tally.overdue += believed(
            self.town, self.stolen.terminal, self.sold, self.expectation.told_by
        )
