"""A card reader that a test puts cards into and pulls them out of."""

from collections.abc import Callable

from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, CardMissingError
from cardlib.pin_pad import ControlConnection
from simulator.faults import Shim
from tests.integration.terminal.stage import StageCard

Wrap = Callable[[CardConnection], CardConnection]
Plug = Callable[[], CardConnection]


class Reader:
    """``open`` is what the till calls; everything else is done by hands."""

    def __init__(self) -> None:
        self._plug: Plug | None = None
        self._slot: Slot | None = None

    def insert(self, card: StageCard, wrap: Wrap | None = None) -> None:
        """Puts a card in; ``wrap`` adds an accident to it."""
        self.insert_connection(lambda: (wrap or _as_it_is)(card.plug()))

    def insert_connection(self, plug: Plug) -> None:
        """Puts in a card of any kind."""
        self.pull()
        self._plug = plug

    def pull(self) -> None:
        """Takes the card out, whatever it is doing."""
        self._plug = None
        if self._slot is not None:
            self._slot.gone = True

    def open(self) -> CardConnection:
        """The card in the reader; CardMissingError when there is none."""
        if self._plug is None:
            raise CardMissingError
        self._slot = Slot(self._plug(), self)
        return self._slot


class Slot(Shim):
    """One card between its insertion and its removal."""

    def __init__(self, inner: CardConnection, reader: Reader) -> None:
        super().__init__(inner)
        self._reader = reader
        self.gone = False

    @property
    def atr(self) -> bytes:
        self._require_card()
        return self.inner.atr

    def transmit(self, apdu: bytes) -> bytes:
        """An accident of the wrapped card is one of this reader: the card is out."""
        self._require_card()
        try:
            return self.inner.transmit(apdu)
        except CardGoneError:
            self._reader.pull()
            raise

    def control(self, code: int, data: bytes) -> bytes:
        """A keypad is one of the reader with it; any other reader knows no codes."""
        self._require_card()
        if not isinstance(self.inner, ControlConnection):
            raise CardGoneError
        return self.inner.control(code, data)

    def reset(self) -> None:
        self._require_card()
        self.inner.reset()

    def close(self) -> None:
        if not self.gone:
            self.inner.close()

    def _require_card(self) -> None:
        if self.gone:
            raise CardGoneError


def _as_it_is(connection: CardConnection) -> CardConnection:
    return connection
