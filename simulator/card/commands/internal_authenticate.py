"""What a legacy chip does in its own way: one answer key, a challenge lost by a read, and
INTERNAL AUTHENTICATE (00 88) under a key of its own.

The answer is ``MAC(K, data ‖ 00 88 00 0D ‖ 80000000)`` over eight bytes that the host chose:
an oracle. It says that the chip is there, and nothing about what it stores. Source of the
command: ISO/IEC 7816-4, 11.5.2.
"""

from collections.abc import Callable

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import KeyId
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.commands import security
from simulator.card.filesystem import LifeCycle
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import suite_of

DATA_SIZE = CODE_SIZE = 8
_HEADER_PADDING = b"\x80\x00\x00\x00"
_ANSWER_KEY_TEMPLATE = 0xB4


def internal_authenticate(chip: Chip, command: Command) -> Response:
    """Eight bytes in, their MAC out; 6A88 where there is no such key."""
    if command.p1 or command.p2 != KeyId.ORACLE:
        raise Refusal(Status.WRONG_P1P2)
    if len(command.data) != DATA_SIZE or command.le is None or command.le < CODE_SIZE:
        raise Refusal(Status.WRONG_LENGTH)
    directory = chip.session.directory
    key = directory.keys.get(KeyId.ORACLE)
    if key is None or directory.life is LifeCycle.CREATION:
        raise Refusal(Status.REFERENCE_NOT_FOUND)
    covered = command.data + command.header + _HEADER_PADDING
    return Response(suite_of(directory).mac(key, covered), Status.OK)


def manage_security_environment(chip: Chip, command: Command) -> Response:
    """Chooses keys of signatures, but no answer key: 6A88."""
    if command.p2 == _ANSWER_KEY_TEMPLATE:
        raise Refusal(Status.REFERENCE_NOT_FOUND)
    return security.manage_security_environment(chip, command)


def forgetful(read: Callable[[Chip, Command], Response]) -> Callable[[Chip, Command], Response]:
    """``read`` on a chip that has one buffer for what it answers and for its challenge."""

    def run(chip: Chip, command: Command) -> Response:
        chip.session.take_challenge()
        return read(chip, command)

    return run
