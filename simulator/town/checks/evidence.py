"""What a town must show to those who watch its laws: cards, tills and books, as they lie there."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Engine

from cardlib.keys.derivation import IssuerMasters
from simulator.card.filesystem import Memory
from simulator.errors import TownError
from simulator.town.checks.declared import Declared


class CardSeen(Protocol):
    """A card of the town, by its chip's memory."""

    @property
    def memory(self) -> Memory:
        """What the chip holds now."""
        ...


class TillSeen(Protocol):
    """A till, by the durable part of its journal."""

    @property
    def terminal(self) -> int:
        """The number in its certificate."""
        ...

    @property
    def merchant(self) -> int:
        """Whose till it is."""
        ...

    @property
    def shop(self) -> str:
        """Key of the shop where it stands; ``desk`` for the town hall's."""
        ...

    @property
    def number(self) -> int:
        """Which of the shop's tills it is."""
        ...

    @property
    def heard_ms(self) -> int:
        """When anything that the backend said last reached it, in milliseconds since 1970."""
        ...

    @property
    def told_ms(self) -> int:
        """When its newest round that ended well began: its bundle is no older; 0 before."""
        ...

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the key that signs its entries."""
        ...

    @property
    def certificate_hash(self) -> bytes:
        """What its first entry is chained to."""
        ...

    def entries(self, after: int) -> Iterable[bytes]:
        """The complete bytes of its durable entries after number ``after``, in order."""
        ...

    def acknowledged(self) -> int:
        """The number up to which the till believes that the backend holds everything."""
        ...

    def answers(self) -> Iterable[bytes]:
        """The backend's answers as the till keeps them, oldest first."""
        ...


class Happened(Protocol):
    """A happening that was just played."""

    @property
    def id(self) -> str:
        """Its stable name in the plan."""
        ...

    @property
    def place(self) -> tuple[str, int]:
        """Shop and till where it happened; an empty shop is anywhere."""
        ...


class TownSeen(Protocol):
    """The whole town between two happenings."""

    @property
    def seed(self) -> int:
        """What everything came from."""
        ...

    @property
    def cards(self) -> Sequence[CardSeen]:
        """Every card ever made; the list only grows."""
        ...

    @property
    def tills(self) -> Sequence[TillSeen]:
        """Every till and desk ever enrolled; the list only grows."""
        ...

    @property
    def engine(self) -> Engine:
        """The backend's database, between two transactions."""
        ...

    @property
    def declared(self) -> Declared:
        """What the world knows and the books cannot."""
        ...

    @property
    def concluded(self) -> bool:
        """Whether everything has happened with which a history ends: all reported and settled."""
        ...

    def masters(self, issuer: bytes, key_set: int) -> IssuerMasters:
        """The masters of a key set, to read cards with."""
        ...


def breach(code: str, law: int, subject: object, what: str, cents: int = 0) -> TownError:
    """The error of a broken law; ``town_checks`` adds happening and seed."""
    return TownError(code, law=law, subject=str(subject), what=what, cents=cents)
