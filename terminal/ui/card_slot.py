"""The place where cards come and go: opens a card when one is there, notices when it has gone."""

from collections.abc import Callable
from enum import Enum, auto

from cardlib.connection import CardConnection, InReader
from cardlib.errors import CardlibError, CardMissingError, CardSilentError
from cardlib.monitor import CardWatch

OpenCard = Callable[[], CardConnection]


class Change(Enum):
    """What happened since the last look."""

    ENTERED = auto()
    LEFT = auto()


class CardSlot:
    """The readers that the till may use. For the worker's thread only.

    With a ``watch`` it is told what happens and opens a card when one came in; without
    one (a virtual card in this process) it tries to open one now and then.
    """

    def __init__(self, open_card: OpenCard, watch: CardWatch | None = None) -> None:
        self._open_card = open_card
        self._watch = watch
        self._connection: CardConnection | None = None
        self._hopeless: tuple[str, ...] = ()
        self.trouble: CardlibError | None = None
        """Why the reader cannot even say whether a card is in it, or what ails the card."""

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
        left = self._watch.news() if self._watch is not None else frozenset()
        if self._connection is None:
            return self._try_to_open() if self._worth_trying(left) else None
        if self._still_there(self._connection, left):
            return None
        self.let_go()
        return Change.LEFT

    def let_go(self) -> None:
        """Resets the card and closes it; a card that is still there enters anew."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except CardlibError as error:
            self.trouble = error

    def _still_there(self, connection: CardConnection, left: frozenset[str]) -> bool:
        if isinstance(connection, InReader) and connection.reader in left:
            return False
        try:
            _ = connection.atr
        except CardlibError:
            return False
        return True

    def _worth_trying(self, left: frozenset[str]) -> bool:
        """Whether there may be a card that speaks with us: a mute one is not asked twice."""
        watch = self._watch
        if watch is None:
            return True
        if left.intersection(self._hopeless):
            self._hopeless = ()
        with_card = watch.with_card
        if with_card and with_card == self._hopeless:
            return False
        self._hopeless, self.trouble = (), watch.trouble
        return bool(with_card)

    def _try_to_open(self) -> Change | None:
        try:
            self._connection = self._open_card()
        except CardMissingError:
            self.trouble = None
        except CardlibError as error:
            self.trouble = error
            if self._watch is not None and isinstance(error, CardSilentError):
                self._hopeless = self._watch.with_card
        else:
            self.trouble = None
            return Change.ENTERED
        return None
