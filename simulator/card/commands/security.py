"""GET CHALLENGE (00 84), GIVE RANDOM (80 86), MANAGE SECURITY ENVIRONMENT (00 22).

The card holds one challenge: GET CHALLENGE replaces it, a secured write takes it,
reads, VERIFY, GIVE RANDOM and MSE leave it alone. The host's random stays until
replaced, reset, or another directory is selected.
"""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import KeyId
from cardlib.codec.status import Status
from simulator.card.chip import Chip
from simulator.card.refusal import Refusal

RANDOM_SIZE = 8
ANSWER_KEYS = (KeyId.DEBIT_RESPONSE, KeyId.ATTEST)
"""What MSE may choose for READ RECORD."""
_SET_ANSWER_KEY = 0x21B4
_SET_SIGNATURE_KEY = (0xF1B6, 0xF1B8)
_RESTORE_P1 = 0xF3
SIGNATURE_ENVIRONMENT = 0x03


def get_challenge(chip: Chip, command: Command) -> Response:
    """Le fresh bytes; only eight of them make a challenge, other lengths leave none."""
    if command.p1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    if command.le is None or command.data:
        raise Refusal(Status.WRONG_LENGTH)
    random = chip.randomness.bytes(command.le)
    chip.session.challenge = random if command.le == RANDOM_SIZE else None
    return Response(random, Status.OK)


def give_random(chip: Chip, command: Command) -> Response:
    """The host's random, over which answers are MACed from now on."""
    if command.p1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    if len(command.data) != RANDOM_SIZE:
        raise Refusal(Status.WRONG_LENGTH)
    chip.session.host_random = command.data
    return Response(b"", Status.OK)


def manage_security_environment(chip: Chip, command: Command) -> Response:
    """Chooses the answer key of a purse, or the key and environment of a signature."""
    p1p2 = command.p1 << 8 | command.p2
    if command.p1 == _RESTORE_P1:
        _restore(chip, command)
    elif p1p2 == _SET_ANSWER_KEY:
        key = _key_reference(command.data)
        if key not in ANSWER_KEYS or key not in chip.session.directory.keys:
            raise Refusal(Status.REFERENCE_NOT_FOUND)
        chip.session.answer_key = key
    elif p1p2 in _SET_SIGNATURE_KEY:
        key = _key_reference(command.data)
        if key not in chip.session.mf.rsa_keys:
            raise Refusal(Status.REFERENCE_NOT_FOUND)
        chip.session.signature_keys[command.p2] = key
    else:
        raise Refusal(Status.WRONG_P1P2)
    return Response(b"", Status.OK)


def _restore(chip: Chip, command: Command) -> None:
    """``00 22 F3 03``, with or without the zero Lc that CNS demands."""
    if command.data:
        raise Refusal(Status.WRONG_LENGTH)
    if command.p2 != SIGNATURE_ENVIRONMENT:
        raise Refusal(Status.REFERENCE_NOT_FOUND)
    chip.session.environment = command.p2
    chip.session.signature_keys = {}


def _key_reference(data: bytes) -> int:
    if len(data) != 3 or data[:2] != b"\x83\x01":
        raise Refusal(Status.WRONG_DATA)
    return data[2]
