"""A slot: a card or none, faults in between, and somebody who watches.

The panel, scripts and the fixtures for tests all work on slots. A slot is a connection
for programs in this process; with an address it also puts its card into a virtual reader.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cardlib.codec.purse import Info
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError, CardMissingError
from cardlib.ports import Clock
from cardlib.trace import Exchange
from cardlib.trace.conversation import Conversation
from cardlib.trace.details import Decoded
from cardlib.trace.keyring import TraceKeys, no_keys
from simulator.card.card import VirtualCard
from simulator.card_keys import CardKeys
from simulator.connection import InProcessConnection
from simulator.fault_options import AnyCard, Fault, parse
from simulator.faults import HeldBack, Removable, Shim
from simulator.vpcd import VirtualReader

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Inserted:
    """A card is in."""

    slot: int
    name: str


@dataclass(frozen=True, slots=True)
class Removed:
    """The card is out: taken, or torn."""

    slot: int
    name: str


@dataclass(frozen=True, slots=True)
class WasReset:
    """Power-up or reset."""

    slot: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """One command and its answer; ``name`` is the card's."""

    slot: int
    name: str
    decoded: Decoded


SlotEvent = Inserted | Removed | WasReset | Spoken
Watcher = Callable[[SlotEvent], None]
"""Called from whichever thread moves the card: it must not wait for anything."""


def nobody(_event: SlotEvent) -> None:
    """Watches nothing."""


@dataclass(slots=True)
class _Inserted:
    """What is in a slot: the card, what stands before it, its conversation."""

    name: str
    card: AnyCard
    conversation: Conversation
    shims: list[Shim]

    @property
    def chain(self) -> CardConnection:
        """The card as the host sees it."""
        return self.shims[-1] if self.shims else InProcessConnection(self.card)


class Slot:
    """One place for a card. Implements ``cardlib.connection.CardConnection``.

    Faults stay with the slot: they wait for the next card, too, until ``disarm``.
    """

    def __init__(
        self,
        number: int,
        clock: Clock,
        *,
        address: Address | None = None,
        keys: CardKeys = CardKeys(),  # noqa: B008 - frozen
        watcher: Watcher = nobody,
    ) -> None:
        self.number = number
        self.address = address
        self.watcher = watcher
        self._clock = clock
        self._keys = keys
        self._inside: _Inserted | None = None
        self._reader: VirtualReader | None = None
        self._out = False
        self.faults: list[Fault] = []
        """What is armed, the nearest to the card first."""

    # hands -----------------------------------------------------------------------------

    @property
    def card(self) -> AnyCard | None:
        """The card that is in the slot."""
        return self._inside.card if self._inside else None

    @property
    def card_name(self) -> str | None:
        """The name under which it was put in."""
        return self._inside.name if self._inside else None

    @property
    def connected(self) -> bool:
        """Whether the virtual reader has taken the card; always, in this process."""
        return self._reader is None or self._reader.connected.is_set()

    def insert(self, name: str, card: AnyCard) -> None:
        """Puts a card in, taking out what was there."""
        self.remove()
        conversation = Conversation(self._keyring(card))
        self.faults = [parse(fault.text, self._clock) for fault in self.faults]
        self._inside = _Inserted(name, card, conversation, [])
        for fault in self.faults:
            self._inside.shims.append(fault(self._inside.chain, card))
        self._out = False
        card.power_off()
        card.power_on()
        self.watcher(Inserted(self.number, name))
        if self.address is not None:
            self._reader = VirtualReader(self, self.address, reinsert=self.put_back)
            self._reader.start()

    def remove(self) -> None:
        """Takes the card out; nothing happens when there is none."""
        reader, self._reader = self._reader, None
        inside = self._inside
        if inside is None:
            return
        self._inside = None
        if reader is not None:
            reader.stop()
        inside.card.power_off()
        self.watcher(Removed(self.number, inside.name))

    def put_back(self) -> None:
        """Puts a torn card back in."""
        inside = self._require()
        for shim in inside.shims:
            if isinstance(shim, Removable):
                shim.gone = False
        self._out = False
        self.watcher(Inserted(self.number, inside.name))
        self.reset()

    # faults ----------------------------------------------------------------------------

    def arm(self, fault: str) -> None:
        """One more fault between card and host; FaultError for an unknown one."""
        armed = parse(fault, self._clock)
        inside = self._inside
        if inside is not None:
            inside.shims.append(armed(inside.chain, inside.card))
        self.faults.append(armed)

    def disarm(self, fault: str | None = None) -> None:
        """Takes one fault away, or all; what it held back is lost."""
        kept = [n for n, item in enumerate(self.faults) if fault not in (None, item.text)]
        self.faults = [self.faults[n] for n in kept]
        inside = self._inside
        if inside is None:
            return
        shims, inside.shims = [inside.shims[n] for n in kept], []
        for shim in shims:
            shim.inner = inside.chain
            inside.shims.append(shim)

    def release(self) -> int:
        """Lets held-back commands through to the card, now; how many there were."""
        inside = self._require()
        held = [shim for shim in inside.shims if isinstance(shim, HeldBack)]
        count = 0
        for shim in held:
            while shim.held:
                apdu = shim.held[0]
                self._spoken(inside, apdu, shim.release())
                count += 1
        return count

    # the connection --------------------------------------------------------------------

    @property
    def atr(self) -> bytes:
        """Answer to reset; CardMissingError when the slot is empty."""
        return self._require().chain.atr

    def transmit(self, apdu: bytes) -> bytes:
        """See ``CardConnection``."""
        inside = self._require()
        try:
            answer = inside.chain.transmit(apdu)
        except CardGoneError:
            self._lost(inside, apdu)
            raise
        self._spoken(inside, apdu, answer)
        return answer

    def reset(self) -> None:
        """See ``CardConnection``."""
        inside = self._require()
        inside.chain.reset()
        inside.conversation.reset()
        self.watcher(WasReset(self.number))

    def close(self) -> None:
        """Resets a card that is there."""
        if self._inside is not None and not self._out:
            self.reset()

    # -------------------------------------------------------------------------------------

    def _require(self) -> _Inserted:
        if self._inside is None:
            raise CardMissingError
        return self._inside

    def _spoken(self, inside: _Inserted, apdu: bytes, answer: bytes | None) -> None:
        decoded = inside.conversation.decode(Exchange(apdu, answer))
        self.watcher(Spoken(self.number, inside.name, decoded))

    def _lost(self, inside: _Inserted, apdu: bytes) -> None:
        self._spoken(inside, apdu, None)
        torn = any(isinstance(shim, Removable) and shim.gone for shim in inside.shims)
        if torn and not self._out:
            self._out = True
            self.watcher(Removed(self.number, inside.name))

    def _keyring(self, card: AnyCard) -> Callable[[int, Info | None], TraceKeys | None]:
        if not isinstance(card, VirtualCard):
            return no_keys
        return lambda directory, _info: self._keys.of_card(card.memory, directory)
