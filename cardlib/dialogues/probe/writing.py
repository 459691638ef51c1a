"""Questions for a card without anybody's money: tries left, refused writes, one real one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import (
    choose_answer_key,
    get_challenge,
    give_random,
    select,
    verify_pin,
)
from cardlib.codec.files import (
    EF_GRANT,
    EF_ID_CARTA,
    EF_SPEND,
    EF_SPEND_APPEND_P2,
    KeyId,
    PinReference,
)
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Spend, SpendType
from cardlib.codec.status import Status, pin_tries_left
from cardlib.codec.tlv import Tlv
from cardlib.dialogues.probe.answers import Question, Questions, Said, Subject, word
from cardlib.dialogues.probe.reading import HOST_RANDOM, enter, read_of
from cardlib.dialogues.volley import Dialogue, send, send_all
from cardlib.errors import PurseRefusedError
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.suites import MAC_SIZE, suite_of

CNS_PIN_BACKTRACKING = 0x90
_TAG_PLAIN, _TAG_MAC = 0x81, 0x8E
_UNKNOWN = (Status.INS_NOT_SUPPORTED, Status.CLA_NOT_SUPPORTED)
_TRIES_MAX = 3
_TRIES_TO_SPARE = 2

# tries -------------------------------------------------------------------------------------


def _tries(reference: int, *, at_mf: bool = False) -> Question:
    """Whether VERIFY without a PIN tells the tries left; asked twice, to see what it costs.

    Never when the last try might be what it costs; then nothing more is asked of any PIN.
    """

    def ask(subject: Subject) -> Dialogue[Said]:
        if reference == PinReference.PURSE_PIN:
            yield from enter(subject)
        elif at_mf:
            yield from send(Command(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00"))
        else:
            yield from send(select(EF_ID_CARTA))
        query = Command(0x00, 0x20, 0x00, reference)
        first = yield from send(query)
        left = pin_tries_left(first.status)
        if left is None:
            return False, word(first)
        if left < _TRIES_TO_SPARE:  # a chip that counts questions would block the PIN
            subject.tries_cost = True
            return True, word(first)
        second = yield from send(query)
        subject.tries_cost = second.status != first.status
        return not subject.tries_cost, f"{word(first)}, {word(second)}"

    return ask


ABOUT_TRIES: Questions = {
    "tries_told_9c": _tries(PinReference.PURSE_PIN),
    "tries_told_90": _tries(CNS_PIN_BACKTRACKING),
    "tries_told_90_at_mf": _tries(CNS_PIN_BACKTRACKING, at_mf=True),
    "tries_told_10": _tries(PinReference.CNS_PIN),
}

# writes that must be refused ---------------------------------------------------------------


def bad_write(p1: int = 0, p2: int = EF_SPEND_APPEND_P2, *, with_mac: bool = True) -> Command:
    """UPDATE RECORD of EF.SPEND with a MAC of zeros, or with none."""
    objects = bytes(Tlv(_TAG_PLAIN, bytes(EF_SPEND.record_size)))
    if with_mac:
        objects += bytes(Tlv(_TAG_MAC, bytes(MAC_SIZE)))
    return Command(0x0C, 0xDC, p1, p2, objects, 256)


def _refused(status: int, *commands: Command, write: Command | None = None) -> Question:
    """After selection and ``commands``, the bad write is refused with ``status``."""

    def ask(subject: Subject) -> Dialogue[Said]:
        yield from enter(subject)
        for command in commands:
            yield from send(command)
        answer = yield from send(write or bad_write())
        return answer.status == status, word(answer)

    return ask


_BOTH = (give_random(HOST_RANDOM), get_challenge())
_ALIVE, _GONE = Status.SM_OBJECT_WRONG, Status.CONDITIONS


def _selection_clears_challenge(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    yield from send_all(*_BOTH)
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    answer = yield from send(bad_write())
    return answer.status == _GONE, word(answer)


def _known(ins: int) -> Question:
    """Whether the chip knows an instruction of purses; the MF is selected, nothing is named."""

    def ask(_: Subject) -> Dialogue[Said]:
        yield from send(Command(0x00, 0xA4, 0x00, 0x0C, b"\x3f\x00"))
        plain = yield from send(Command(0x00, ins, 0, 0))
        own = yield from send(Command(0x80, ins, 0, 0))
        known = any(answer.status not in _UNKNOWN for answer in (plain, own))
        return known, f"{word(plain)}, {word(own)}"

    return ask


REFUSED_WRITES: Questions = {
    "challenge_outlives_read": _refused(_ALIVE, *_BOTH, read_of(EF_SPEND)),
    "challenge_outlives_random": _refused(_ALIVE, *_BOTH, give_random(HOST_RANDOM)),
    "challenge_outlives_mse": _refused(_ALIVE, *_BOTH, choose_answer_key(KeyId.ATTEST)),
    "challenge_outlives_verify": _refused(
        _ALIVE, *_BOTH, Command(0x00, 0x20, 0x00, PinReference.PURSE_PIN)
    ),
    "selection_clears_challenge": _selection_clears_challenge,
    "refusal_takes_challenge": _refused(_GONE, *_BOTH, bad_write()),
    "order_1_p1p2_6a86": _refused(Status.WRONG_P1P2, write=bad_write(p1=1)),
    "order_2_challenge_6985": _refused(_GONE, give_random(HOST_RANDOM)),
    "order_3_no_mac_6987": _refused(
        Status.SM_OBJECT_MISSING, *_BOTH, write=bad_write(with_mac=False)
    ),
    "order_4_mac_6988": _refused(_ALIVE, *_BOTH),
    "append_6d00": _refused(Status.INS_NOT_SUPPORTED, *_BOTH, write=Command(0x0C, 0xE2, 0, 0)),
    "increase_present": _known(0x32),
    "decrease_present": _known(0x30),
}

# with the published keys -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hand:
    """What is needed to write a training purse: its PIN; its keys are known to all."""

    keys: PurseKeys
    suite: int
    pin: Pin


def _secured(hand: Hand, plain: Command, key: bytes) -> Dialogue[Response]:
    challenge = (yield from send_all(*_BOTH))[1].data
    yield from send_all(choose_answer_key(KeyId.DEBIT_RESPONSE))
    return (yield from send(secure_messaging.protect(suite_of(hand.suite), key, challenge, plain)))


def _spend(hand: Hand, record: bytes) -> Dialogue[Response]:
    plain = Command(0x00, 0xDC, 0, EF_SPEND_APPEND_P2, record)
    return (yield from _secured(hand, plain, hand.keys.debit.command))


def newest(hand: Hand, subject: Subject) -> Dialogue[bytes]:
    """The newest record, its MAC good under the published key; AuthenticityError if not."""
    yield from enter(subject)
    read = read_of(EF_SPEND)
    answer = (yield from send_all(give_random(HOST_RANDOM), read))[1]
    return secure_messaging.open_record_answer(
        suite_of(hand.suite), hand.keys.debit.response, HOST_RANDOM, read, answer,
        EF_SPEND.record_size,
    )  # fmt: skip


def next_record(hand: Hand, record: bytes) -> bytes:
    """A record that follows ``record`` and changes no total."""
    spend = records.open_spend(hand.keys.debit.record, record)
    if spend is None:
        raise PurseRefusedError("PURSE_NO_RECORD")
    digest = sha256(record).digest()
    following: Spend = replace(
        spend, type=SpendType.INIT, ctr=spend.ctr + 1, intent_hash=digest[8:16], terminal=0,
        seq=0, prev=digest[:4],
    )  # fmt: skip
    return records.seal_spend(hand.keys.debit.record, following)


def keyed_questions(hand: Hand) -> Questions:
    """Questions that need a good MAC; the last one writes a record."""

    def attest_key(subject: Subject) -> Dialogue[Said]:
        record = yield from newest(hand, subject)
        read = read_of(EF_SPEND)
        answer = (yield from send_all(choose_answer_key(KeyId.ATTEST), read))[1]
        again = secure_messaging.open_record_answer(
            suite_of(hand.suite), hand.keys.attest, HOST_RANDOM, read, answer, EF_SPEND.record_size
        )
        return again == record, word(answer)

    def pin_demanded(subject: Subject) -> Dialogue[Said]:
        record = next_record(hand, (yield from newest(hand, subject)))
        answer = yield from _spend(hand, record)
        return answer.status == Status.SECURITY_STATUS, word(answer)

    def record_range(subject: Subject) -> Dialogue[Said]:
        yield from enter(subject)
        number = EF_GRANT.records + 1
        plain = Command(0x00, 0xDC, number, EF_GRANT.read_p2, bytes(EF_GRANT.record_size))
        answer = yield from _secured(hand, plain, hand.keys.load_command)
        return answer.status == Status.RECORD_NOT_FOUND, word(answer)

    def length(subject: Subject) -> Dialogue[Said]:
        yield from enter(subject)
        plain = Command(0x00, 0xDC, EF_GRANT.records, EF_GRANT.read_p2, bytes(1))
        answer = yield from _secured(hand, plain, hand.keys.load_command)
        return answer.status == Status.WRONG_LENGTH, word(answer)

    return {
        "mse_gives_attestation": attest_key,
        "order_5_pin_6982": pin_demanded,
        "order_6_record_6a83": record_range,
        "order_7_length_6700": length,
        "ring_turns": _ring(hand),
    }


def _ring(hand: Hand) -> Callable[[Subject], Dialogue[Said]]:
    def ask(subject: Subject) -> Dialogue[Said]:
        """A written record is number 1, and the one before it number 2."""
        before = yield from newest(hand, subject)
        tries = yield from send(Command(0x00, 0x20, 0x00, PinReference.PURSE_PIN))
        if pin_tries_left(tries.status) not in (None, _TRIES_MAX):
            return False, f"PIN {word(tries)}"
        yield from send_all(verify_pin(hand.pin))
        record = next_record(hand, before)
        answer = yield from _spend(hand, record)
        if not answer.ok:
            return False, word(answer)
        yield from send_all(give_random(HOST_RANDOM))
        found: list[bytes] = []
        for number in (1, 2):
            told = yield from send(read_of(EF_SPEND, number))
            found.append(secure_messaging.split_record_answer(told, EF_SPEND.record_size)[0])
        return found == [record, before], word(answer)

    return ask
