"""Attack 4: a debit (UPDATE RECORD) is held back, and released once the till has given it up.

The till reads afresh, finds nothing and signs ``not_applied``; one happening later the board
lets the command through. Where the chip still takes it, the holder has paid for nothing: her
card's next session proves it, and the backend gives it back. (A load that is held back:
``held_back_load``.)
"""

from dataclasses import dataclass

from cardlib.codec.commands import INS_UPDATE_RECORD
from cardlib.wire.entry_body import NotApplied
from cardlib.wire.ids import PurseId
from simulator.faults import HeldOver, every
from simulator.town.adversaries.adversary import Claim, Expectation
from simulator.town.adversaries.opened_card import OpenedCard
from simulator.town.adversaries.till_attack import Scene, TillAttack, closed_by, spent
from simulator.town.deeds.cards import card_session
from simulator.town.plan.model import Happening
from simulator.town.state import Town

_REFUND = (
    "SELECT count(*), coalesce(sum(pp.cents), 0) FROM posting s"
    " JOIN posting_part pp ON pp.posting_id = s.id JOIN account a ON a.id = pp.holder_id"
    " WHERE s.terminal = ? AND s.intent_seq = ? AND s.reason = 'SALE_NOT_APPLIED'"
    " AND a.kind NOT IN ('payable', 'in_payment', 'paid')"
)
REFUNDED = "SALE_NOT_APPLIED"


@dataclass(frozen=True, slots=True)
class _Held:
    """A debit that the till has signed away, on the board; ``seq``: its intent."""

    scene: Scene
    board: HeldOver
    seq: int


@dataclass(frozen=True, slots=True)
class _Late:
    """One that the chip took in the end."""

    purse: PurseId
    terminal: int
    seq: int


class HeldBackDebit(TillAttack):
    """The holder's own card and PIN, and a board that keeps what it hears."""

    name = "held back debit"
    expectation = Expectation(
        source="PROTOCOL 1.4", claim=Claim.STOPPED,
        seen_by="not_applied is signed at once; released, the chip refuses it, or"
        " SALE_NOT_APPLIED when its card is proven: refunded, not paid",
        refused_by=(frozenset({"RECOVERY_NOT_APPLIED"}),),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._held: _Held | None = None
        self._late: list[_Late] = []

    def strike(self, scene: Scene) -> None:
        """Buys over the board; no goods may come of it."""
        card, board = (
            OpenedCard(scene.town, scene.citizen),
            HeldOver(scene.citizen.line(), every(INS_UPDATE_RECORD)),
        )
        before = spent(card)
        goods = self.buy(scene, board)
        self.tally.gain += abs(goods - (spent(card) - before))
        seq = _signed_not_applied(scene)
        if board.held and seq is not None:
            self._held = _Held(scene, board, seq)
        else:
            self.tally.overdue.append(f"nothing was held back at {scene.happening.id}")

    def follow(self, town: Town, happening: Happening) -> None:  # noqa: ARG002
        """What is held is released one happening later."""
        if self._held is not None:
            self._release(self._held)
            self._held = None

    def _release(self, held: _Held) -> None:
        """Where the chip still takes it, the holder goes to the desk, whose session attests it."""
        scene, card = held.scene, OpenedCard(held.scene.town, held.scene.citizen)
        before, answer = spent(card), held.board.release()
        scene.citizen.line().reset()
        self.refused(answer[-2:].hex().upper())
        if spent(card) > before:
            self._late.append(_Late(card.purse, scene.register.terminal, held.seq))
            card_session(scene.town, scene.town.desk, scene.citizen, scene.happening, "load", "")

    def sum_up(self, town: Town) -> None:
        """Every debit that was let through late is the holder's again, and no shop's."""
        if self._held is not None:
            self.tally.overdue.append("a debit was never released")
        with town.engine.connect() as books:
            for late in self._late:
                found, cents = books.exec_driver_sql(_REFUND, (late.terminal, late.seq)).one()
                if found and cents > 0:
                    self.tally.seen[REFUNDED] = "at the desk"
                else:
                    where = f"{late.terminal}:{late.seq} of {late.purse}"
                    self.tally.overdue.append(f"{where} is not refunded")


def _signed_not_applied(scene: Scene) -> int | None:
    """The intent that the till's newest entry gives up; None where it says something else."""
    newest = closed_by(scene.register)
    return int(newest.intent_seq) if isinstance(newest, NotApplied) else None
