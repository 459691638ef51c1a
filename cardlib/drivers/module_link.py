"""The line to a module card: opened when it is needed, let go when it is not.

Another program may want the module too (the sync agent beside an open till), so the
reader is held only while a purse is being talked to. A module that went away is looked
for again at the next command; what was begun with it before is over, and says so.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import RLock

from cardlib.channel import Channel, Tracer
from cardlib.codec import module_card as codec
from cardlib.codec.apdu import Command, Response
from cardlib.codec.module_card import Ins, ModuleDescription
from cardlib.codec.status import Status, pin_tries_left
from cardlib.connection import CardConnection
from cardlib.errors import (
    CardGoneError,
    CardlibError,
    CardMissingError,
    CardSilentError,
    MalformedError,
    ModuleGoneError,
    ModuleRefusedError,
    PresenceError,
    ReaderMissingError,
)
from cardlib.wire.ed25519 import PublicKey

Connect = Callable[[], CardConnection]
_NOT_THERE = (ReaderMissingError, CardMissingError, CardSilentError, CardGoneError)
_LOST = frozenset({Status.SECURITY_STATUS, Status.INS_NOT_SUPPORTED})
"""What a module answers that somebody has reset: PIN or selection are gone."""


class ModuleLink:
    """Commands to one module, whoever asks: a screen's worker and a heartbeat share it.

    ``public_key``: the module that is meant, None for whichever is in the reader. Every
    call raises ModuleGoneError when the module is not there, ModuleRefusedError
    ``MODULE_OTHER``, ``MODULE_PIN_WRONG`` or ``MODULE_BLOCKED``; a wrong PIN is sent once.
    """

    def __init__(
        self, connect: Connect, pin: str, public_key: PublicKey | None = None,
        tracer: Tracer | None = None,
    ) -> None:  # fmt: skip
        self._connect = connect
        self._pin = codec.padded_pin(pin)
        self._public_key = public_key
        self._tracer = tracer
        self._channel: Channel | None = None
        self._lock = RLock()
        self._conversation = 0
        self._held = False
        self._refused: ModuleRefusedError | None = None

    def ask(self, commands: tuple[Command, ...]) -> Response:
        """The last answer, or the first that is not 9000; it needs no conversation."""
        with self._lock:
            answer = self._send_again(commands)
            if not self._held:
                self._drop()
            return answer

    def begin(self, commands: tuple[Command, ...]) -> tuple[int, Response]:
        """Begins a conversation, which ends any other: its number, and the answer."""
        with self._lock:
            answer = self._send_again(commands)
            self._conversation += 1
            self._held = True
            return self._conversation, answer

    def say(self, conversation: int, commands: tuple[Command, ...]) -> Response:
        """As :meth:`ask`, within a conversation; ModuleGoneError once that one is over."""
        with self._lock:
            if not self._held or conversation != self._conversation:
                raise ModuleGoneError
            return self._send(commands)

    def rest(self) -> None:
        """Ends the conversation and lets the reader go."""
        with self._lock:
            self._drop()

    def describe(self) -> ModuleDescription:
        """What the module in the reader says of itself; no PIN is sent."""
        with self._lock:
            self._drop()
            channel = self._plugged()
            try:
                return _described(channel)
            except CardGoneError as error:
                raise ModuleGoneError from error
            finally:
                with suppress(PresenceError):
                    channel.close()

    def unblock(self, puk: str, new_pin: str) -> None:
        """RESET RETRY COUNTER; ModuleRefusedError ``MODULE_PIN_WRONG`` counts the PUK's tries."""
        self._pin_command(codec.unblock(codec.padded_pin(puk), codec.padded_pin(new_pin)), new_pin)

    def change_pin(self, new_pin: str) -> None:
        """CHANGE REFERENCE DATA from the PIN of this link."""
        self._pin_command(codec.change_pin(self._pin, codec.padded_pin(new_pin)), new_pin)

    def _pin_command(self, command: Command, new_pin: str) -> None:
        with self._lock:
            self._drop()
            channel = self._plugged()
            try:
                _described(channel)
                _require_pin(channel.send(command))
            except CardGoneError as error:
                raise ModuleGoneError from error
            finally:
                with suppress(PresenceError):
                    channel.close()
            self._pin, self._refused = codec.padded_pin(new_pin), None

    def _send_again(self, commands: tuple[Command, ...]) -> Response:
        """A line that proves dead is opened anew, once."""
        known = self._channel is not None
        try:
            return self._send(commands)
        except ModuleGoneError:
            if not known:
                raise
            return self._send(commands)

    def _send(self, commands: tuple[Command, ...]) -> Response:
        channel = self._channel or self._opened()
        answer = Response(b"", Status.OK)
        try:
            for command in commands:
                answer = channel.send(command)
                if not answer.ok:
                    break
        except (PresenceError, MalformedError) as error:
            self._drop()
            raise ModuleGoneError from error
        if answer.status in _LOST:
            self._drop()
            raise ModuleGoneError
        return answer

    def _opened(self) -> Channel:
        if self._refused is not None:
            raise self._refused
        self._channel = channel = self._plugged()
        try:
            self._greet(channel)
        except CardGoneError as error:
            self._drop()
            raise ModuleGoneError from error
        except CardlibError:
            self._drop()
            raise
        return channel

    def _plugged(self) -> Channel:
        try:
            return Channel(self._connect(), self._tracer)
        except _NOT_THERE as error:
            raise ModuleGoneError from error

    def _greet(self, channel: Channel) -> None:
        found = _described(channel)
        if self._public_key is not None and found.public_key != self._public_key.raw:
            raise ModuleRefusedError("MODULE_OTHER")
        try:
            _require_pin(channel.send(codec.verify(self._pin)))
        except ModuleRefusedError as refused:
            self._refused = refused
            raise

    def _drop(self) -> None:
        channel, self._channel = self._channel, None
        self._held = False
        self._conversation += 1
        if channel is not None:
            with suppress(PresenceError):
                channel.close()


def _described(channel: Channel) -> ModuleDescription:
    if not channel.send(codec.select_module()).ok:
        raise ModuleRefusedError("MODULE_OTHER")
    answer = channel.send(codec.command(Ins.GET_MODULE)[0])
    if not answer.ok:
        raise ModuleRefusedError(status=f"{answer.status:04X}")
    return ModuleDescription.decode(answer.data)


def _require_pin(answer: Response) -> None:
    """ModuleRefusedError unless a PIN command was answered 9000."""
    if answer.ok:
        return
    left = pin_tries_left(answer.status)
    if left:
        raise ModuleRefusedError("MODULE_PIN_WRONG", tries_left=left)
    if left == 0:
        raise ModuleRefusedError("MODULE_BLOCKED")
    raise ModuleRefusedError(status=f"{answer.status:04X}")
