"""The module as a card in a reader: power, PIN, chaining, dispatch, memory kept safe.

The rules are those of ``simulator.card.card``: ``transmit`` never raises, what a command
changes is saved before its answer leaves, without power there is no answer, and power-up
takes over what another program has saved since.
"""

import logging
from pathlib import Path
from typing import Self

from cardlib.codec.apdu import Command, Response
from cardlib.codec.module_card import (
    AID,
    CHAIN_MAX,
    CLA,
    CLA_CHAINED,
    INS_CHANGE_PIN,
    INS_SELECT,
    INS_UNBLOCK,
    INS_VERIFY,
    PIN_MIN,
    PIN_REFERENCE,
    PIN_SIZE,
)
from cardlib.codec.status import Status
from cardlib.errors import CardlibError
from simulator.card.chip import Randomness
from simulator.card.refusal import Refusal
from simulator.card.store import FileStore, KeptImage, Store, read_image
from simulator.module_card import memory as images
from simulator.module_card.commands import HANDLERS, P1_MATTERS, WITHOUT_PIN
from simulator.module_card.memory import PIN_TRIES, PUK_TRIES, ModuleMemory, Secret
from simulator.module_card.module import Module
from simulator.module_card.refusals import refuse_unless
from simulator.module_card.session import Session

_log = logging.getLogger(__name__)
_NO_ANSWER = b""
_PIN_DATA = {INS_VERIFY: PIN_SIZE, INS_CHANGE_PIN: 2 * PIN_SIZE, INS_UNBLOCK: 2 * PIN_SIZE}
_ATR = bytes.fromhex("3B8A01") + b"BORSMODUL1"
"""T=1 only, ten historical bytes of our own; its check byte is appended below."""


class ModuleCard:
    """One module; what it keeps is in ``memory``, kept by ``store``."""

    def __init__(
        self, memory: ModuleMemory, randomness: Randomness, store: Store | None = None
    ) -> None:
        self._kept = KeptImage(images.encode(memory), store)
        self._powered = True
        self._module = Module(memory, Session(), randomness, self._commit)

    @classmethod
    def load(cls, path: Path, randomness: Randomness) -> Self:
        """The module whose image is at ``path``; ImageError when there is none to read."""
        return cls(images.decode(read_image(path)), randomness, FileStore(path))

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return _ATR_WHOLE

    @property
    def memory(self) -> ModuleMemory:
        """What the module keeps: for those who look from outside, not for hosts."""
        return self._module.memory

    def power_on(self) -> None:
        """Supplies power: nothing selected, no PIN verified."""
        self._powered = True
        changed = self._kept.changed_elsewhere()
        if changed is not None:
            self._module.memory, self._kept.saved = images.decode(changed), changed
        self._module.session = Session()

    def power_off(self) -> None:
        """Cuts the power: all but the memory is lost."""
        self._powered = False
        self._module.session = Session()

    def reset(self) -> None:
        """A warm reset: as power off and on."""
        self.power_on()

    def transmit(self, apdu: bytes) -> bytes:
        """The answer to a command APDU, status word included; empty without power."""
        if not self._powered:
            return _NO_ANSWER
        try:
            return bytes(self._answer(apdu))
        except Exception:  # noqa: BLE001 - a chip that fails inside still answers
            _log.exception("module fault in command %s", apdu[:4].hex())
            self._module.memory = images.decode(self._kept.saved)
            self._module.session = Session()
            return bytes(Response(b"", Status.INTERNAL))

    def _answer(self, apdu: bytes) -> Response:
        try:
            command = Command.decode(apdu)
        except CardlibError:
            return Response(b"", Status.WRONG_LENGTH)
        try:
            return Response(self._handled(command), Status.OK)
        except Refusal as refusal:
            return Response(b"", refusal.status)

    def _handled(self, command: Command) -> bytes:
        if (command.cla, command.ins) == (0x00, INS_SELECT):
            return self._select(command)
        session = self._module.session
        refuse_unless(session.selected, Status.INS_NOT_SUPPORTED)
        whole = self._unchained(command)
        if whole is None:
            return b""
        if whole.cla == 0x00:
            return self._pin_command(whole)
        refuse_unless(whole.cla == CLA, Status.CLA_NOT_SUPPORTED)
        refuse_unless(whole.ins in HANDLERS, Status.INS_NOT_SUPPORTED)
        free = whole.ins in P1_MATTERS or (whole.p1, whole.p2) == (0, 0)
        refuse_unless(free, Status.WRONG_P1P2)
        allowed = session.pin_verified or whole.ins in WITHOUT_PIN
        refuse_unless(allowed, Status.SECURITY_STATUS)
        return HANDLERS[whole.ins](self._module, whole)

    def _select(self, command: Command) -> bytes:
        refuse_unless(command.p1 == 0x04, Status.WRONG_P1P2)
        refuse_unless(command.data == AID, Status.FILE_NOT_FOUND)
        self._module.session = Session(selected=True)
        return b""

    def _unchained(self, command: Command) -> Command | None:
        """The command with all its data; None while blocks are still to come."""
        session = self._module.session
        chained = command.cla == CLA | CLA_CHAINED
        cla = CLA if chained else command.cla
        header = bytes((cla, command.ins, command.p1, command.p2))
        known, session.chain_header = session.chain_header, b""
        before, session.chain = session.chain, b""
        refuse_unless(known in (b"", header), Status.CONDITIONS)
        data = before + command.data
        refuse_unless(len(data) <= CHAIN_MAX, Status.WRONG_LENGTH)
        if chained:
            session.chain, session.chain_header = data, header
            return None
        return Command(cla, command.ins, command.p1, command.p2, data, command.le)

    def _pin_command(self, command: Command) -> bytes:
        refuse_unless((command.p1, command.p2) == (0, PIN_REFERENCE), Status.REFERENCE_NOT_FOUND)
        refuse_unless(command.ins in _PIN_DATA, Status.INS_NOT_SUPPORTED)
        refuse_unless(len(command.data) == _PIN_DATA[command.ins], Status.WRONG_LENGTH)
        memory, session = self._module.memory, self._module.session
        given, new = command.data[:PIN_SIZE], command.data[PIN_SIZE:]
        refuse_unless(not new or _is_pin(new), Status.WRONG_DATA)
        session.pin_verified = False
        if command.ins == INS_UNBLOCK:
            self._compare(memory.puk, given, PUK_TRIES)
        else:
            self._compare(memory.pin, given, PIN_TRIES)
        if new:
            memory.pin = Secret(new, PIN_TRIES)
        self._commit()
        session.pin_verified = command.ins == INS_VERIFY
        return b""

    def _compare(self, secret: Secret, value: bytes, tries: int) -> None:
        """The try is counted, and saved, before the value is compared."""
        refuse_unless(secret.tries_left, Status.BLOCKED)
        secret.tries_left -= 1
        self._commit()
        if not secret.matches(value, tries):
            raise Refusal(0x63C0 | secret.tries_left if secret.tries_left else Status.BLOCKED)

    def _commit(self) -> None:
        self._kept.save(images.encode(self._module.memory))


def _is_pin(padded: bytes) -> bool:
    signs = padded.rstrip(b"\xff")
    return len(signs) >= PIN_MIN and all(0x20 <= sign <= 0x7E for sign in signs)


def _with_check_byte(atr: bytes) -> bytes:
    check = 0
    for octet in atr[1:]:
        check ^= octet
    return atr + bytes((check,))


_ATR_WHOLE = _with_check_byte(_ATR)
