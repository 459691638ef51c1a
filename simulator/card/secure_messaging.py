"""Secure messaging (PROTOCOL 2 and 3): one order of checks for every secured write.

A command's MAC is over ``challenge ‖ CLA INS P1 P2 ‖ 80000000 ‖ objects before 8E``,
an answer's over the host's random and the same header. A secured write takes the
challenge away whatever comes of it. Errors carry no MAC; there is no error counter:
three bad MACs from anybody must not block a purse.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cardlib.codec import tlv
from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import DF_SERVICES, KeyId
from cardlib.codec.status import Status
from cardlib.errors import CardlibError
from simulator.card import crypto
from simulator.card.access import NEVER
from simulator.card.chip import Chip
from simulator.card.filesystem import Directory, LifeCycle
from simulator.card.purse_profile import info_of
from simulator.card.refusal import Refusal

TAG_PLAIN = 0x81
TAG_CRYPTOGRAM = 0x87
TAG_STATUS = 0x99
TAG_MAC = 0x8E
_PADDING_METHOD_2 = b"\x01"
_HEADER_PADDING = b"\x80\x00\x00\x00"
CHALLENGE_SIZE = 8
"""Of GET CHALLENGE: an applet's shorter one serves DEBIT alone."""
_CONFIRMATION_SIZE = 14
"""Bytes of ``99 02 9000 8E 08 MAC``."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one secured exchange, taken before anything changes."""

    suite: crypto.Suite
    command: bytes
    answer: bytes
    encipher: bytes | None = None


@dataclass(frozen=True, slots=True)
class SecuredWrite:
    """One write as its command planned it, once P1-P2 are right.

    ``content`` is the tag of the object that carries the content, None for a command
    that has none. ``check`` refuses a content (6A83, 6700), ``write`` writes it.
    """

    keys: Keys
    content: int | None
    write: Callable[[bytes], None]
    check: Callable[[bytes], None] = lambda _content: None
    permitted: Callable[[], bool] = lambda: True
    """Whether the PIN, if one is demanded, is verified."""


Planner = Callable[[Chip, Command], SecuredWrite]
"""Reads P1-P2 of a secured command; refuses what is no such write here."""


def keys_for(chip: Chip, command_key: int) -> Keys:
    """The keys of a write whose condition is ``command_key``, in the current directory.

    While the directory is being personalised they are its parent's transport keys.
    """
    directory = chip.session.directory
    if directory.life is LifeCycle.CREATION:
        return transport_keys(chip.session.path[-2])
    if command_key == NEVER or not command_key:
        raise Refusal(Status.SECURITY_STATUS)
    encipher = KeyId.ADMIN_ENCIPHER if command_key == KeyId.ADMIN_COMMAND else None
    return _keys(directory, suite_of(directory), command_key, encipher)


def transport_keys(directory: Directory) -> Keys:
    """The keys under which a purse directory is made; refuses where there are none."""
    if directory.fid != DF_SERVICES:
        raise Refusal(Status.SECURITY_STATUS)
    command, encipher = KeyId.TRANSPORT_COMMAND, KeyId.TRANSPORT_ENCIPHER
    return _keys(directory, crypto.AES_128, command, encipher)


def _keys(directory: Directory, suite: crypto.Suite, command: int, encipher: int | None) -> Keys:
    keys = directory.keys
    try:
        secret = None if encipher is None else keys[encipher]
        return Keys(suite, keys[command], keys[command + 1], secret)
    except KeyError:
        raise Refusal(Status.SECURITY_STATUS) from None


def content_objects(content: bytes) -> list[tlv.Tlv]:
    """The data objects that a secured content is made of; 6A80 for bytes that are none."""
    try:
        return tlv.decode_strict(content)
    except CardlibError:
        raise Refusal(Status.WRONG_DATA) from None


def suite_of(directory: Directory) -> crypto.Suite:
    """The suite that EF.INFO names; refuses one that this chip lacks."""
    info = info_of(directory)
    if info is None or info.suite not in crypto.SUITES:
        raise Refusal(Status.SECURITY_STATUS)
    return crypto.SUITES[info.suite]


def secured_write(plan: Planner) -> Callable[[Chip, Command], Response]:
    """Makes a command of a planner: all checks in the order of PROTOCOL 2, then the write."""

    def run(chip: Chip, command: Command) -> Response:
        challenge, host_random = chip.session.take_challenge(), chip.session.host_random
        planned = plan(chip, command)
        if challenge is None or len(challenge) != CHALLENGE_SIZE or host_random is None:
            raise Refusal(Status.CONDITIONS)
        content = _unwrap(planned, command, challenge)
        if not planned.permitted():
            raise Refusal(Status.SECURITY_STATUS)
        planned.check(content)
        if (command.le or 0) < _CONFIRMATION_SIZE:
            raise Refusal(Status.WRONG_LENGTH)
        planned.write(content)
        return _confirmation(planned.keys, command, host_random)

    return run


def seal(
    suite: crypto.Suite, key: bytes, host_random: bytes, command: Command, objects: bytes
) -> Response:
    """An answer: the objects and their MAC."""
    mac = suite.mac(key, host_random + command.header + _HEADER_PADDING + objects)
    return Response(objects + bytes(tlv.Tlv(TAG_MAC, mac)), Status.OK)


def _confirmation(keys: Keys, command: Command, host_random: bytes) -> Response:
    objects = bytes(tlv.Tlv(TAG_STATUS, Status.OK.to_bytes(2, "big")))
    return seal(keys.suite, keys.answer, host_random, command, objects)


def _unwrap(planned: SecuredWrite, command: Command, challenge: bytes) -> bytes:
    """The content, once the objects and their MAC are right."""
    objects = _objects(command.data)
    macs = [item for item in objects if item.tag == TAG_MAC]
    if not macs:
        raise Refusal(Status.SM_OBJECT_MISSING)
    expected = [TAG_MAC] if planned.content is None else [planned.content, TAG_MAC]
    if [item.tag for item in objects] != expected or len(macs[0].value) != crypto.MAC_SIZE:
        raise Refusal(Status.SM_OBJECT_WRONG)
    covered = command.data[: -len(bytes(macs[0]))]
    mac = planned.keys.suite.mac(
        planned.keys.command, challenge + command.header + _HEADER_PADDING + covered
    )
    if not crypto.same(mac, macs[0].value):
        raise Refusal(Status.SM_OBJECT_WRONG)
    return _content(planned, objects[0].value, challenge)


def _objects(data: bytes) -> list[tlv.Tlv]:
    try:
        return tlv.decode_strict(data)
    except CardlibError:
        raise Refusal(Status.SM_OBJECT_WRONG) from None


def _content(planned: SecuredWrite, value: bytes, challenge: bytes) -> bytes:
    if planned.content is None:
        return b""
    if planned.content == TAG_PLAIN:
        return value
    key = planned.keys.encipher
    if key is None or value[:1] != _PADDING_METHOD_2:
        raise Refusal(Status.SM_OBJECT_WRONG)
    plain = planned.keys.suite.decipher(key, challenge, value[1:])
    if plain is None:
        raise Refusal(Status.SM_OBJECT_WRONG)
    return plain
