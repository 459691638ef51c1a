"""Attack 4: status words that the till must not believe.

In turn: the debit goes through and 6985 comes back; the debit never arrives and a bare 9000
comes back; the debit is held back while the till reads afresh and signs ``not_applied``, and
is let through later. The last costs the holder money, which the backend gives back.
"""

from cardlib.codec.apdu import Response
from cardlib.codec.commands import INS_UPDATE_RECORD
from cardlib.codec.status import Status
from cardlib.wire.entry_body import NotApplied
from cardlib.wire.ids import PurseId
from simulator.faults import ForgedStatus, HeldBack, HeldOver, every, nth
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import PRICE, Scene, TillAttack, spent
from simulator.town.deeds.cards import card_session
from simulator.town.plan.model import Happening
from simulator.town.state import Town

_REFUNDS = (
    "SELECT count(*) FROM posting s JOIN purse p ON p.id = s.purse_id"
    " WHERE p.number = ? AND s.reason = 'SALE_NOT_APPLIED'"
)


class StatusWords(TillAttack):
    """The holder's own card and PIN, and a board that answers for the card."""

    name = "believed status words"
    expectation = Expectation(
        source="PROTOCOL 1.4", claim=Claim.STOPPED,
        seen_by="a fresh read; not_applied against a proven record: refunded",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._held: tuple[Scene, HeldOver] | None = None
        self._released: list[PurseId] = []

    def follow(self, town: Town, happening: Happening) -> None:  # noqa: ARG002
        """What is held is released one happening later."""
        if self._held is not None:
            self._release(*self._held)
            self._held = None

    def strike(self, scene: Scene) -> None:
        """One of the three, in turn."""
        card, line = OpenedCard(scene.town, scene.citizen), scene.citizen.line()
        before = spent(card)
        match self.tally.attempts % 3:
            case 1:
                goods = self.buy(scene, HeldBack(line, every(INS_UPDATE_RECORD), Status.OK))
            case 2:
                board = HeldOver(line, every(INS_UPDATE_RECORD))
                goods = self.buy(scene, board)
                if board.held and _signed_not_applied(scene):
                    self._held = scene, board
            case _:
                goods = self.buy(scene, ForgedStatus(line, nth(1, INS_UPDATE_RECORD)))
        self.tally.gain += abs(goods - (spent(card) - before))

    def _release(self, scene: Scene, board: HeldOver) -> None:
        """Where the chip still takes it, the holder goes to the desk, whose session attests it."""
        answer = board.release()
        scene.citizen.line().reset()
        self.refused(answer[-2:].hex().upper())
        if answer[-2:] == bytes(Response(b"", Status.OK)):
            assert scene.citizen.purse is not None
            self._released.append(scene.citizen.purse)
            card_session(scene.town, scene.town.desk, scene.citizen, scene.happening, "load", "")

    def at_end(self, town: Town) -> None:
        """Every debit that was let through late is on its way back to the purse."""
        with town.engine.connect() as books:
            for purse in self._released:
                (count,) = books.exec_driver_sql(_REFUNDS, (purse.number,)).one()
                if count:
                    self.tally.seen["SALE_NOT_APPLIED"] = "at the desk"
                else:
                    self.tally.overdue.append(f"{PRICE} cents of {purse} not refunded")


def _signed_not_applied(scene: Scene) -> bool:
    with scene.register.journal() as journal:
        newest = journal.views.newest(1)
        return bool(newest) and isinstance(newest[0].decode().body, NotApplied)
