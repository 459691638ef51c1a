"""A PC/SC service in this process, with readers, cards, other programs and every misfortune.

It keeps to pcsc-lite's rules where a client can tell: contexts die with the service,
states carry a counter, a transaction shuts others out. One rule is Windows': a card in a
transaction in which nobody calls for five seconds is reset (:meth:`Service.idle`).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from cardlib.errors import PresenceError
from cardlib.pcsc.codes import Code, error_of
from cardlib.pcsc.service import PNP_READER, Disposition, ReaderState, StateFlag

ATR = bytes.fromhex("3BFF1800008131FE55006B02090303011101434E5311318073")
PATIENCE_S = 5.0


@dataclass
class Card:
    """Answers everything with 9000; counts what happens to it."""

    atr: bytes = ATR
    commands: list[bytes] = field(default_factory=list)
    ends: list[Disposition] = field(default_factory=list)
    protocol: int = 1
    refuses: Code = Code.SUCCESS
    """What connecting to it ends with."""


@dataclass
class Reader:
    """One reader, and who is in it."""

    card: Card | None = None
    count: int = 0
    owner: "Handle | None" = None
    handles: "list[Handle]" = field(default_factory=list)
    hung: bool = False

    @property
    def state(self) -> int:
        flag = StateFlag.EMPTY if self.card is None else StateFlag.PRESENT
        return self.count << 16 | flag


class Service:
    """The daemon. ``establish`` is what clients are given."""

    def __init__(self) -> None:
        self.change = threading.Condition()
        self.readers: dict[str, Reader] = {}
        self.contexts: list[Context] = []
        self.refuses = Code.SUCCESS
        """What establishing a context ends with."""
        self.waiting = threading.Event()
        """Set when somebody waits for a change."""
        self.kept_alive = threading.Event()
        """Set by each status call."""

    def establish(self) -> "Context":
        if self.refuses is not Code.SUCCESS:
            raise error_of(self.refuses)
        context = Context(self)
        self.contexts.append(context)
        return context

    @property
    def open_contexts(self) -> int:
        return sum(not context.released for context in self.contexts)

    def add(self, name: str, card: Card | None = None) -> Reader:
        with self.change:
            self.readers[name] = reader = Reader(card, int(card is not None))
            self.change.notify_all()
        return reader

    def remove(self, name: str) -> None:
        with self.change:
            for handle in self.readers.pop(name).handles:
                handle.broken = Code.READER_UNAVAILABLE
            self.change.notify_all()

    def insert(self, name: str, card: Card) -> None:
        with self.change:
            self.readers[name].card = card
            self.readers[name].count += 1
            self.change.notify_all()

    def pull(self, name: str) -> None:
        with self.change:
            self._pull(name)
            self.change.notify_all()

    def swap(self, name: str, card: Card) -> None:
        """Out and in, before anybody looks."""
        with self.change:
            self._pull(name)
            self.readers[name].card = card
            self.readers[name].count += 1
            self.change.notify_all()

    def kill(self) -> None:
        """The daemon dies: every context is dead, and no new one can be had."""
        with self.change:
            self.refuses = Code.NO_SERVICE
            for context in self.contexts:
                context.dead = True
            for reader in self.readers.values():
                reader.owner, reader.handles = None, []
            self.change.notify_all()

    def restart(self, *names: str) -> None:
        """It is back, with ``names`` instead of the readers of before, when any are given."""
        with self.change:
            if names:
                cards = [reader.card for reader in self.readers.values()]
                self.readers = {name: Reader(cards[at]) for at, name in enumerate(names)}
            self.refuses = Code.SUCCESS

    def unhang(self, name: str) -> None:
        with self.change:
            self.readers[name].hung = False
            self.change.notify_all()

    def idle(self) -> None:
        """Five seconds go by: transactions without a call since the last time are over."""
        with self.change:
            for reader in self.readers.values():
                owner = reader.owner
                if owner is not None and not owner.called:
                    owner.broken, reader.owner = Code.RESET_CARD, None
                for handle in reader.handles:
                    handle.called = False

    def _pull(self, name: str) -> None:
        reader = self.readers[name]
        reader.card, reader.owner = None, None
        reader.count += 1
        for handle in reader.handles:
            handle.broken = Code.REMOVED_CARD
        reader.handles = []


class Context:
    """One link to the service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.dead = self.released = self.cancelled = False

    def readers(self) -> list[str]:
        self._require_life()
        return list(self.service.readers)

    def states(self, known: Sequence[ReaderState], wait_ms: int) -> list[ReaderState] | None:
        names = list(self.service.readers)
        with self.service.change:
            if self.service.change.wait_for(lambda: self._differs(known, names), 0):
                return self._now(known)
            self.service.waiting.set()
            self.service.change.wait_for(lambda: self._differs(known, names), wait_ms / 1000)
            self._require_life()
            differs = self._differs(known, names) and not self.cancelled
            self.cancelled = False
            return self._now(known) if differs else None

    def connect(self, reader: str) -> "Handle":
        self._require_life()
        with self.service.change:
            found = self.service.readers.get(reader)
            if found is None:
                raise error_of(Code.UNKNOWN_READER, reader)
            self.service.change.wait_for(lambda: not found.hung, PATIENCE_S)
            if found.card is None:
                raise error_of(Code.NO_SMARTCARD)
            if found.card.refuses is not Code.SUCCESS:
                raise error_of(found.card.refuses)
            handle = Handle(self, found, found.card)
            found.handles.append(handle)
            return handle

    def cancel(self) -> None:
        with self.service.change:
            self.cancelled = True
            self.service.change.notify_all()

    def release(self) -> None:
        self.released = True

    def _require_life(self) -> None:
        if self.dead or self.released:
            raise error_of(Code.NO_SERVICE)

    def _differs(self, known: Sequence[ReaderState], names: list[str]) -> bool:
        if self.dead or self.cancelled or list(self.service.readers) != names:
            return True
        return any(
            state.reader != PNP_READER
            and (
                state.reader not in self.service.readers
                or self.service.readers[state.reader].state != state.state
            )
            for state in known
        )

    def _now(self, known: Sequence[ReaderState]) -> list[ReaderState]:
        self._require_life()
        found = []
        for state in known:
            reader = self.service.readers.get(state.reader)
            if reader is None:
                if state.reader != PNP_READER:
                    raise error_of(Code.UNKNOWN_READER)
                found.append(state)
                continue
            atr = b"" if reader.card is None else reader.card.atr
            found.append(ReaderState(state.reader, reader.state, atr))
        return found


class Handle:
    """A connected card."""

    def __init__(self, context: Context, reader: Reader, card: Card) -> None:
        self.context = context
        self.reader = reader
        self.card = card
        self.protocol = card.protocol
        self.broken = Code.SUCCESS
        self.called = True

    def begin(self) -> None:
        self._require_life()
        change = self.context.service.change
        with change:
            change.wait_for(self._may_begin, PATIENCE_S)
            self._require_life()
            self.reader.owner = self

    def end(self, disposition: Disposition) -> None:
        self._require_life()
        with self.context.service.change:
            if self.reader.owner is not self:
                raise error_of(Code.NOT_TRANSACTED)
            self._treat(disposition)
            self.reader.owner = None
            self.context.service.change.notify_all()

    def transmit(self, apdu: bytes) -> bytes:
        self._require_life()
        change = self.context.service.change
        with change:
            change.wait_for(lambda: not self.reader.hung, PATIENCE_S)
        self._require_life()
        self.card.commands.append(apdu)
        return b"\x90\x00"

    def control(self, code: int, data: bytes) -> bytes:
        self._require_life()
        if code == 0:
            raise PresenceError("READER_MISSING")
        return code.to_bytes(4, "big") + data

    def status(self) -> bytes:
        self._require_life()
        self.context.service.kept_alive.set()
        return self.card.atr

    def reconnect(self, disposition: Disposition) -> None:
        if self.broken is Code.RESET_CARD:
            self.broken = Code.SUCCESS
        self._require_life()
        self._treat(disposition)

    def disconnect(self, disposition: Disposition) -> None:
        if self.context.dead or self.context.released:
            raise error_of(Code.NO_SERVICE)
        with self.context.service.change:
            self._treat(disposition)
            if self.reader.owner is self:
                self.reader.owner = None
            if self in self.reader.handles:
                self.reader.handles.remove(self)
            self.context.service.change.notify_all()

    def _may_begin(self) -> bool:
        return self.reader.owner in (None, self) or self.broken is not Code.SUCCESS

    def _treat(self, disposition: Disposition) -> None:
        """What becomes of the card; other programs must find out about a reset."""
        if disposition is Disposition.LEAVE:
            return
        self.card.ends.append(disposition)
        for other in self.reader.handles:
            if other is not self:
                other.broken = Code.RESET_CARD

    def _require_life(self) -> None:
        self.called = True
        if self.context.dead:
            raise error_of(Code.NO_SERVICE)
        if self.broken is not Code.SUCCESS:
            raise error_of(self.broken)
