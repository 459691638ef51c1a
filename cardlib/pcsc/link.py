"""What a connection does with the PC/SC service, call by call, in the worker's thread."""

from contextlib import suppress
from dataclasses import dataclass

from cardlib.errors import (
    CardGoneError,
    CardMissingError,
    PresenceError,
    ReaderMissingError,
)
from cardlib.pcsc import hung
from cardlib.pcsc.codes import RESET_BY_OTHER
from cardlib.pcsc.names import meant
from cardlib.pcsc.service import Context, Disposition, Establish, Handle, ReaderState


@dataclass(frozen=True, slots=True)
class Search:
    """Which reader is wanted: ``pattern`` and not ``besides`` (``names.meant``).

    ``before`` is the one that held the card last: it comes first.
    """

    pattern: str = ""
    besides: str = ""
    before: str = ""

    def candidates(self, context: Context) -> list[ReaderState]:
        """Readers with a card; ReaderMissingError or CardMissingError when there is none."""
        names = meant(context.readers(), self.pattern, self.besides)
        if not names:
            raise ReaderMissingError(reader=self.pattern)
        states = context.states([ReaderState(name) for name in names], 0) or []
        found = [state for state in states if state.has_card]
        if not found:
            raise CardMissingError
        return sorted(found, key=lambda state: state.reader != self.before)


class Link:
    """Context, handle and transaction of one connection. Blocks as the service does."""

    def __init__(self, establish: Establish, search: Search) -> None:
        self._establish = establish
        self._search = search
        self._context: Context | None = None
        self._handle: Handle | None = None
        self._used = False
        self.dead: CardGoneError | None = None
        """Why the state of the card is unknown; set by the connection too."""
        self.reader = ""
        """The reader that is, or was last, spoken with."""
        self.waits_for_others = False
        """Whether another program's transaction is what is being waited for."""

    def open(self) -> tuple[bytes, int]:
        """Connects to the first card that will have us; its ATR, and 0 or 1 for T=0 or T=1."""
        hung.check("")
        self._context = self._establish()
        first: PresenceError | None = None
        for state in self._search.candidates(self._context):
            self.reader = state.reader
            try:
                hung.check(state.reader)
                return self._connect(self._context, in_use=state.in_use)
            except PresenceError as error:
                self._let_go(Disposition.LEAVE)
                first = first or error
        raise first or CardMissingError()

    def transmit(self, apdu: bytes) -> bytes:
        """One command; CardGoneError when there is no whole answer, whatever the reason."""
        self._used = True
        try:
            return self._card.transmit(apdu)
        except PresenceError as error:
            raise self._died(error) from error

    def control(self, code: int, data: bytes) -> bytes:
        """One command to the reader. One that it does not know leaves the card as it is.

        A card that was taken out or reset meanwhile is gone, as after :meth:`transmit`.
        """
        self._used = True
        try:
            return self._card.control(code, data)
        except PresenceError as error:
            if isinstance(error, CardMissingError) or error.code == RESET_BY_OTHER:
                raise self._died(error) from error
            raise

    def keep_alive(self) -> None:
        """Tells the service that the transaction lives; notices a card that has gone."""
        if self._handle is None or self.dead is not None:
            return
        try:
            self._handle.status()
        except PresenceError as error:
            self._died(error)

    def reset(self) -> tuple[bytes, int]:
        """Resets the card inside the transaction, and begins another one."""
        try:
            card = self._card
            card.end(Disposition.RESET)
            card.reconnect(Disposition.LEAVE)
            self._begin(card)
            self._used = False
            return card.status(), card.protocol
        except PresenceError as error:
            raise self._died(error) from error

    def close(self) -> None:
        """Lets everything go; raises nothing.

        A card that was only looked at is left as it is; one that was spoken with is reset
        before another program can have it; one that stopped answering is powered down.
        """
        spoken = Disposition.UNPOWER if self.dead is not None else Disposition.RESET
        self._let_go(spoken if self._used else Disposition.LEAVE)
        context, self._context = self._context, None
        if context is not None:
            context.release()

    def _died(self, error: PresenceError) -> CardGoneError:
        if isinstance(error, CardMissingError):
            self.dead = CardGoneError()
        elif isinstance(error, CardGoneError):
            self.dead = error
        else:
            self.dead = CardGoneError(error.code, **error.facts)
        return self.dead

    def _connect(self, context: Context, *, in_use: bool) -> tuple[bytes, int]:
        self.waits_for_others = in_use  # pcsc-lite's SCardConnect waits for transactions, too
        self._handle = context.connect(self.reader)
        self._begin(self._handle)
        return self._handle.status(), self._handle.protocol

    def _begin(self, handle: Handle) -> None:
        self.waits_for_others = True
        try:
            handle.begin()
        except CardGoneError:  # reset by another program since we connected: that is allowed
            handle.reconnect(Disposition.LEAVE)
            handle.begin()
        finally:
            self.waits_for_others = False

    def _let_go(self, disposition: Disposition) -> None:
        handle, self._handle = self._handle, None
        if handle is None:
            return
        with suppress(PresenceError):
            handle.end(disposition)
            disposition = Disposition.LEAVE
        with suppress(PresenceError):
            handle.disconnect(disposition)

    @property
    def _card(self) -> Handle:
        if self._handle is None:
            raise CardGoneError
        return self._handle
