"""The place where cards come and go: opens a card when one is there, notices when it has gone."""

from collections.abc import Callable
from enum import Enum, auto

from cardlib.connection import CardConnection
from cardlib.errors import CardlibError, CardMissingError

OpenCard = Callable[[], CardConnection]


class Change(Enum):
    """What happened since the last look."""

    ENTERED = auto()
    LEFT = auto()


class CardSlot:
    """One reader, asked now and then. For the worker's thread only."""

    def __init__(self, open_card: OpenCard) -> None:
        self._open_card = open_card
        self._connection: CardConnection | None = None
        self.trouble: CardlibError | None = None
        """Why the reader cannot even say whether a card is in it."""

    @property
    def card_in(self) -> bool:
        """Whether a card was there at the last look."""
        return self._connection is not None

    @property
    def connection(self) -> CardConnection:
        """The card; CardMissingError, or the reader's trouble, when there is none."""
        if self._connection is None:
            raise self.trouble or CardMissingError()
        return self._connection

    def look(self) -> Change | None:
        """Whether a card came or went."""
        if self._connection is None:
            return self._try_to_open()
        try:
            _ = self._connection.atr
        except CardlibError:
            self.let_go()
            return Change.LEFT
        return None

    def let_go(self) -> None:
        """Resets the card and closes it; a card that is still there enters anew."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except CardlibError as error:
            self.trouble = error

    def _try_to_open(self) -> Change | None:
        try:
            self._connection = self._open_card()
        except CardMissingError:
            self.trouble = None
        except CardlibError as error:
            self.trouble = error
        else:
            self.trouble = None
            return Change.ENTERED
        return None
