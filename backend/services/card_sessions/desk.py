"""What the two kinds of card session have in common."""

from dataclasses import dataclass
from typing import Any, Protocol

from backend.adapters.tables.sessions import CardSessionRow
from backend.adapters.unit_of_work import Unit
from backend.errors import ConflictError
from cardlib.dialogues.volley import Dialogue
from cardlib.ports import Randomness
from cardlib.wire.ids import TRAINING_ISSUER


@dataclass(frozen=True, slots=True)
class Done:
    """How a session ended: a code of the text catalogue, and what the card gained."""

    code: str
    cents: int


class Desk(Protocol):
    """Decides and keeps the books for one session, inside one transaction.

    ``replaying`` while stored answers are played again: then everything has been
    booked before, and what was decided is on record.
    """

    replaying: bool

    def dialogue(self, randomness: Randomness) -> Dialogue[Any]:
        """The conversation with the card."""
        ...

    def move_to(self, unit: Unit, row: CardSessionRow, now: int) -> None:
        """Goes on in another transaction: nothing that the old one read is used again."""
        ...

    def finish(self, result: Any) -> Done:
        """Books the end of the dialogue."""
        ...


def claim_purse(unit: Unit, row: CardSessionRow, purse_id: int, now: int) -> None:
    """Binds the session to a purse: at most one active session has it.

    A session of the same station, or one past its time, gives way;
    ConflictError ``CARD_SESSION_BUSY`` for another station's.
    """
    if row.purse_id == purse_id:
        return
    other = unit.cards.active_session(purse_id)
    if other is not None:
        if other.terminal != row.terminal and now <= other.expires_at:
            raise ConflictError("CARD_SESSION_BUSY")
        other.state, other.outcome = "expired", "CARD_SESSION_REPLACED"
        unit.flush()
    row.purse_id = purse_id
    unit.flush()


def serves(unit: Unit, row: CardSessionRow, issuer: bytes) -> bool:
    """Whether the session's station may touch purses of ``issuer``.

    A training station touches training purses only, any other none of them.
    """
    training: bool = unit.terminals.terminal(row.terminal).training
    return training == (issuer == TRAINING_ISSUER)
