"""The applet's own commands: INITIALISE FOR DEBIT (80 50), DEBIT (80 54), and its writes.

EF.SPEND is written by DEBIT alone: the chip computes the record, and the command's MAC is over
the record that it would write, so that module and chip agree about all of it or nothing
happens. The order of checks is that of a secured write; the rules of the purse come last.
Writes are all or nothing: an applet's memory knows transactions.
"""

from dataclasses import replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cardlib.codec import tlv
from cardlib.codec.apdu import Command, Response
from cardlib.codec.applet import (
    CHALLENGE_PADDED,
    CHALLENGE_SIZE,
    CODE_SIZE,
    DEBIT_ANSWER_SIZE,
    RANDOM_SIZE,
    DebitOrder,
    InitialiseAnswer,
    is_debit_header,
    state_counter_block,
)
from cardlib.codec.files import EF_SPEND, KeyId
from cardlib.codec.status import Status
from cardlib.errors import MalformedError
from simulator.card import crypto
from simulator.card.applet_purse import AppletPurse
from simulator.card.chip import Chip
from simulator.card.commands import records
from simulator.card.filesystem import LifeCycle
from simulator.card.purse_profile import info_of
from simulator.card.refusal import Refusal
from simulator.card.secure_messaging import TAG_MAC, TAG_PLAIN, SecuredWrite, suite_of

_HEADER_PADDING = b"\x80\x00\x00\x00"
_CERTIFICATE_HEADER = bytes((0x0C, 0xB2, 0x01, EF_SPEND.read_p2))
"""Of an attested read of record 1: what the certificate is over."""


def initialise_for_debit(chip: Chip, command: Command) -> Response:
    """Takes the host's random, gives a challenge and the purse's state under K_DR."""
    if command.p1 or command.p2:
        raise Refusal(Status.WRONG_P1P2)
    if len(command.data) != RANDOM_SIZE or command.le is None:
        raise Refusal(Status.WRONG_LENGTH)
    purse = _purse(chip)
    challenge = chip.randomness.bytes(CHALLENGE_SIZE)
    answer = _initialised(purse, command, challenge)
    if command.le < len(answer):
        raise Refusal(0x6C00 | len(answer))
    chip.session.host_random, chip.session.challenge = command.data, challenge
    return Response(answer, Status.OK)


def debit(chip: Chip, command: Command) -> Response:
    """A sale or a void; answers a MAC under K_DR and the certificate under K_TC."""
    challenge, random = chip.session.take_challenge(), chip.session.host_random
    if not is_debit_header(command.p1, command.p2):
        raise Refusal(Status.WRONG_P1P2)
    order, code = _order(command)
    purse = _purse(chip)
    if challenge is None or len(challenge) != CHALLENGE_SIZE or random is None:
        raise Refusal(Status.CONDITIONS)
    record = purse.record_after(order)
    expected = _mac(
        purse, KeyId.DEBIT_COMMAND, challenge.ljust(CHALLENGE_PADDED, b"\x00"),
        command.header, _plain(record),
    )  # fmt: skip
    if not crypto.same(expected, code):
        raise Refusal(Status.SM_OBJECT_WRONG)
    if not records.may_spend(chip, purse.spend_file):
        raise Refusal(Status.SECURITY_STATUS)
    purse.check(order)
    chip.write(lambda: _turn(purse, record))
    return Response(_debited(purse, command, random, record), Status.OK)


def plan_update_record(chip: Chip, command: Command) -> SecuredWrite:
    """As on the file card while it is personalised; afterwards EF.GRANT only, and checked."""
    planned = records.plan_update_record(chip, command)
    directory = chip.session.directory
    if directory.life is LifeCycle.CREATION:
        return planned
    if command.p2 >> 3 == EF_SPEND.sfi:
        raise Refusal(Status.SECURITY_STATUS)
    purse = AppletPurse.of(directory)
    file, index = records.named_file(chip, command), command.p1 - 1

    def check(content: bytes) -> None:
        planned.check(content)
        purse.check_grant(content)

    def write(content: bytes) -> None:
        def change() -> None:
            file.records[index] = content

        chip.write(change)

    return replace(planned, check=check, write=write)


def _purse(chip: Chip) -> AppletPurse:
    directory = chip.session.directory
    if directory.life is LifeCycle.CREATION:
        raise Refusal(Status.CONDITIONS)
    return AppletPurse.of(directory)


def _initialised(purse: AppletPurse, command: Command, challenge: bytes) -> bytes:
    info = info_of(purse.directory)
    if info is None:
        raise Refusal(Status.CONDITIONS)
    counter = modes.CTR(state_counter_block(challenge, command.data))
    encryptor = Cipher(algorithms.AES128(purse.key), counter).encryptor()
    state = encryptor.update(bytes(purse.state)) + encryptor.finalize()
    answer = InitialiseAnswer(info, challenge, state, bytes(CODE_SIZE))
    code = _mac(purse, KeyId.DEBIT_RESPONSE, command.data, command.header, answer.covered)
    return bytes(replace(answer, code=code))


def _order(command: Command) -> tuple[DebitOrder, bytes]:
    try:
        order = DebitOrder.decode(command)
    except MalformedError:
        raise Refusal(Status.WRONG_LENGTH) from None
    if (command.le or 0) < DEBIT_ANSWER_SIZE:
        raise Refusal(Status.WRONG_LENGTH)
    return order


def _turn(purse: AppletPurse, record: bytes) -> None:
    file = purse.spend_file
    file.records = [record, *file.records[:-1]]


def _debited(purse: AppletPurse, command: Command, random: bytes, record: bytes) -> bytes:
    """The answer's MAC is over the record written and its certificate."""
    certificate = _mac(purse, KeyId.ATTEST, random, _CERTIFICATE_HEADER, _plain(record))
    objects = _plain(record) + bytes(tlv.Tlv(TAG_MAC, certificate))
    return _mac(purse, KeyId.DEBIT_RESPONSE, random, command.header, objects) + certificate


def _mac(purse: AppletPurse, key: int, random: bytes, header: bytes, objects: bytes) -> bytes:
    suite = suite_of(purse.directory)
    return suite.mac(purse.directory.keys[key], random + header + _HEADER_PADDING + objects)


def _plain(record: bytes) -> bytes:
    return bytes(tlv.Tlv(TAG_PLAIN, record))
