"""A card in a reader, as a connection that dialogues can use.

Shared with other programs, and one transaction from connect to close, so that nobody
comes in between. While nobody sends a command, SCardStatus every two seconds keeps the
transaction alive (Windows resets a card after five idle ones) and notices a reset; that
is no command to the card. After any error of transport the connection is *dead*: the
state of the card is unknown, and every command is refused, until :meth:`reset` has
connected anew, through a new link to the service, to whatever reader then fits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from cardlib.errors import CardGoneError, PresenceError
from cardlib.pcsc import hung
from cardlib.pcsc.link import Link, Search
from cardlib.pcsc.machine import real_service
from cardlib.pcsc.service import Establish
from cardlib.pcsc.worker import TimeLimitError, Worker

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long to wait, in seconds, before a reader is called silent."""

    open_s: float = 5.0
    """Connecting, resetting, and waiting for other programs' transactions to end."""
    transmit_s: float = 15.0
    """One command: the slowest, a key pair made on the card aside, take a few seconds."""
    control_s: float = 60.0
    """One command to the reader: somebody may be typing a PIN on its keypad."""
    close_s: float = 2.0
    keep_alive_s: float = 2.0


class PcscConnection:
    """Implements ``CardConnection`` for the first reader with a card that ``search`` means.

    A call that does not return in time is given up with its thread and its link to the
    service: CardGoneError, or PresenceError when connecting, ``READER_SILENT``
    (``READER_BUSY`` when another program's transaction is what did not end). As long as
    that call hangs, its reader is refused at once, so there is never more than one such
    thread a reader; it ends when the call returns, at the latest with the service.
    """

    def __init__(
        self,
        search: Search | str = Search(),  # noqa: B008 - frozen
        limits: TimeLimits = TimeLimits(),
        establish: Establish = real_service,
    ) -> None:
        self._search = Search(search) if isinstance(search, str) else search
        self._limits = limits
        self._establish = establish
        self._closed = False
        self._open()

    @property
    def reader(self) -> str:
        """The name of the reader."""
        return self._link.reader

    @property
    def atr(self) -> bytes:
        """Answer to reset; CardGoneError when the connection is dead. Asks nobody."""
        self._require_life()
        return self._atr

    @property
    def protocol(self) -> int:
        """0 for T=0, 1 for T=1."""
        return self._protocol

    def transmit(self, apdu: bytes) -> bytes:
        """Sends a command; CardGoneError whenever no whole answer came back."""
        self._require_life()
        return self._in_time(lambda: self._link.transmit(apdu), self._limits.transmit_s)

    def control(self, code: int, data: bytes) -> bytes:
        """Sends ``data`` to the reader, not to the card; ``code`` as the platform numbers it.

        PresenceError when the reader does not know such a command.
        """
        self._require_life()
        return self._in_time(lambda: self._link.control(code, data), self._limits.control_s)

    def reset(self) -> None:
        """Resets the card and begins a new transaction; a dead connection is made anew.

        CardGoneError, with the code of what is in the way.
        """
        if self._closed:
            raise CardGoneError
        if self._link.dead is None:
            self._atr, self._protocol = self._in_time(self._link.reset, self._limits.open_s)
            return
        self._worker.stop(self._limits.close_s)
        self._search = replace(self._search, before=self.reader)
        try:
            self._open()
        except PresenceError as error:
            raise CardGoneError(error.code, **error.facts) from error

    def close(self) -> None:
        """Lets card and service go; what becomes of the card: ``Link.close``."""
        self._closed = True
        self._worker.stop(self._limits.close_s)

    def _open(self) -> None:
        self._link = link = Link(self._establish, self._search)
        self._worker = Worker(self._limits.keep_alive_s, link.keep_alive, link.close)
        try:
            self._atr, self._protocol = self._in_time(link.open, self._limits.open_s)
        except BaseException:
            link.dead = CardGoneError()
            self._worker.stop(self._limits.close_s)
            raise

    def _require_life(self) -> None:
        if self._closed:
            raise CardGoneError
        if self._link.dead is not None:
            raise CardGoneError(self._link.dead.code, **self._link.dead.facts)

    def _in_time(self, job: Callable[[], T], limit_s: float) -> T:
        link = self._link
        try:
            return self._worker.call(job, limit_s)
        except TimeLimitError as error:
            link.dead = CardGoneError(self._code_of_silence(link))
            hung.note(link.reader, self._worker, link.dead.code)
            raise link.dead from error
        except KeyboardInterrupt:
            link.dead = CardGoneError()
            raise

    @staticmethod
    def _code_of_silence(link: Link) -> str:
        if not link.reader:
            return "PCSC_SILENT"
        return "READER_BUSY" if link.waits_for_others else "READER_SILENT"
