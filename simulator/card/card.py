"""The virtual card: power, the dispatch of commands, and its memory kept safe.

Rules it keeps:

- ``transmit`` never raises: a malformed command is 6700, a fault inside is 6F00 and
  leaves the memory as last saved.
- What a command changes is saved before its answer leaves.
- Without power there is no answer: ``b""``, as when a write is torn (``tear_next_write``).
- On a T=0 mask a command is a TPDU, and ``transport.T0Link`` makes APDUs of it.
- A card is in one reader at a time: power-up takes over what another program has saved
  since, and a write on top of such a change is 6F00 and not made.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Self

from cardlib.codec.apdu import Command, Response
from cardlib.codec.atr import TransmissionProtocol
from cardlib.codec.status import Status
from cardlib.errors import CardlibError
from simulator.card import image
from simulator.card.chaining import Chain
from simulator.card.chip import Chip, Randomness, Tear
from simulator.card.commands.table import commands_of
from simulator.card.filesystem import Memory
from simulator.card.masks.registry import traits_of
from simulator.card.refusal import PowerLost, Refusal
from simulator.card.session import Session
from simulator.card.store import FileStore, KeptImage, Store, read_image
from simulator.card.transport import T0Link

_log = logging.getLogger(__name__)
_NO_ANSWER = b""
_SHORTEST_EXTENDED = 5
"""Bytes of a header and a short Le: longer, and 00 in the fifth, is an extended length."""


class VirtualCard:
    """One card: what it remembers is in ``memory``, kept by ``store``."""

    def __init__(
        self, memory: Memory, randomness: Randomness, store: Store | None = None, *,
        without_image: bool = False,
    ) -> None:  # fmt: skip
        """``without_image``: nobody keeps one, what it remembers is ``memory`` itself.

        Half of what a sale costs in one process is encoding images.
        """
        self._kept = None if without_image else KeptImage(image.encode(memory), store)
        self._written: Callable[[Memory], None] | None = None
        self._powered = True
        self._chip = Chip(memory, Session([memory.mf]), randomness, self._commit, traits_of(memory))
        self._link, self._chain = T0Link(self._answer), Chain()

    @classmethod
    def load(cls, path: Path, randomness: Randomness) -> Self:
        """The card whose image is at ``path``; ImageError when there is none to read."""
        return cls(image.decode(read_image(path)), randomness, FileStore(path))

    def watch(self, written: Callable[[Memory], None]) -> None:
        """``written`` is told the memory after every write, also one that was torn."""
        self._written = written

    @property
    def atr(self) -> bytes:
        """Answer to reset; asking for it changes nothing, even without power."""
        return self._chip.memory.atr

    @property
    def memory(self) -> Memory:
        """What the card holds: for those who look at it from outside, not for hosts."""
        return self._chip.memory

    def power_on(self) -> None:
        """Supplies power: the card answers, with nothing verified and the MF selected.

        ImageError when another program has left something else where the image was.
        """
        self._powered = True
        changed = None if self._kept is None else self._kept.changed_elsewhere()
        if self._kept is not None and changed is not None:
            memory = image.decode(changed)
            self._chip.memory, self._chip.traits = memory, traits_of(memory)
            self._kept.saved = changed
        self._forget()

    def power_off(self) -> None:
        """Cuts the power: all but the memory is lost."""
        self._powered = False
        self._forget()

    def reset(self) -> None:
        """A warm reset: as power off and on."""
        self.power_on()

    def tear_next_write(self, tear: Tear | None) -> None:
        """Power will fail in the middle of the next write, leaving what ``tear`` says."""
        self._chip.tear = tear

    def transmit(self, apdu: bytes) -> bytes:
        """The answer to a command (APDU, or TPDU of T=0), status word too; empty without power."""
        if not self._powered:
            return _NO_ANSWER
        try:
            return bytes(self._received(apdu))
        except PowerLost:
            self._chip.tear = None
            self.power_off()
            return _NO_ANSWER
        except Exception:  # noqa: BLE001 - a chip that fails inside still answers
            _log.exception("card fault in command %s", apdu[:4].hex())
            self._restore()
            return bytes(Response(b"", Status.INTERNAL))

    def _received(self, sent: bytes) -> Response:
        if self._chip.traits.protocol is TransmissionProtocol.T0:
            return self._link.answer(sent)
        return self._answer(sent)

    def _answer(self, apdu: bytes) -> Response:
        commands = commands_of(self._chip.traits)
        command = self._decoded(apdu)
        if command is None:
            if tuple(apdu[:2]) in commands.secured_writes:
                self._chip.session.take_challenge()
            return Response(b"", Status.WRONG_LENGTH)
        try:
            whole = self._chain.take(command) if self._chip.traits.command_chaining else command
            if whole is None:
                return Response(b"", Status.OK)
            return commands.handler(whole.cla, whole.ins)(self._chip, whole)
        except Refusal as refusal:
            return Response(b"", refusal.status)

    def _decoded(self, apdu: bytes) -> Command | None:
        """The command, None when it is malformed or longer than this chip takes."""
        extended = len(apdu) > _SHORTEST_EXTENDED and apdu[4] == 0
        if extended and not self._chip.traits.extended_length:
            return None
        try:
            return Command.decode(apdu)
        except CardlibError:
            return None

    def _commit(self) -> None:
        if self._kept is not None:
            self._kept.save(image.encode(self._chip.memory))
        if self._written is not None:
            self._written(self._chip.memory)

    def _forget(self) -> None:
        self._chip.session = Session([self._chip.memory.mf])
        self._link, self._chain = T0Link(self._answer), Chain()

    def _restore(self) -> None:
        if self._kept is not None:
            self._chip.memory = image.decode(self._kept.saved)
        self._forget()
