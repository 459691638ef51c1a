"""Cases 11 to 13 and what else a card may say: mute, garbage, wrong status, wrong length.

``SALE`` names the commands of a sale by their place; whatever is said before the UPDATE
costs nobody anything, whatever is said to the UPDATE but its MAC is an unknown outcome.
"""

from collections.abc import Callable

import pytest

from cardlib.channel import Channel
from cardlib.connection import CardConnection
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CodedError
from cardlib.pcsc.codes import Code, error_of
from simulator.card.masks import GENERIC_T0
from simulator.faults import (
    AlteredAnswer,
    Mute,
    Shim,
    Slow,
    StaleRead,
    TearAfter,
    TearBefore,
    Trigger,
    every,
    nth,
)
from terminal.sale.states import State
from tests.integration.failure_cases.scene import (
    PRICE,
    SELECT,
    UPDATE,
    Scene,
    assert_worded,
    shown_code,
)
from tests.integration.failure_cases.shims import Answers, ByteWise
from tests.integration.terminal.stage import Stage, WalletSpec, committed

SOME_CASES = 20

UPDATE_AT = 8
"""The UPDATE is the eighth command; 1 to 7 come before, 9 and 10 fetch the certificate."""
CHALLENGE_AT = 3
COMMANDS = range(1, 11)
STATUSES = (0x6581, 0x6983, 0x6985, 0x6700, 0x6982, 0x6988, 0x6A82, 0x6F00, 0x6200, 0x63C1)
Answer = Callable[[bytes], bytes]


def just(status: int) -> Answer:
    return lambda _apdu: status.to_bytes(2, "big")


def try_to_sell(scene: Scene, answer: Answer, number: int, *, acted: bool) -> State | None:
    """A sale whose ``number``-th command is answered by ``answer``."""
    return sell(scene, Answers(scene.card.plug(), nth(number), answer, acted=acted))


def sell(scene: Scene, reader: CardConnection) -> State | None:
    """The state in which a sale ends; None when it was refused, with a code and a sentence."""
    try:
        return scene.customer(reader).buy(PRICE).state
    except CodedError as error:
        assert_worded(error)
        return None


def test_case_11_mute_card(scene: Scene) -> None:
    reader = Mute(scene.card.plug(), nth(1))
    assert shown_code(scene.customer(reader).session().read) == "CARD_GONE"
    assert scene.journal == []
    scene.goes_on(0)


@pytest.mark.parametrize(
    "atr", ["", "3B", "00" * 33, "3F", "3BFF", "FFFFFFFF", "3B9F95813FFE", "3BF0" + "FF" * 30]
)
def test_case_11_bad_atr(scene: Scene, atr: str) -> None:
    """Who the card is, its purse says: an ATR nobody understands costs no sale."""
    scene.card.card.memory.atr = bytes.fromhex(atr)
    scene.goes_on(0)


def test_case_12_t0_status_61_and_6c_are_completed_and_no_write_goes_twice(scene: Scene) -> None:
    reader = ByteWise(scene.card.plug())
    shop = scene.customer(reader)
    assert shop.buy(PRICE).goods_are_due
    assert reader.repeated
    assert all(apdu[1] != UPDATE for apdu in reader.repeated)
    updates = [item for item in shop.trace if item.command[1] == UPDATE]
    assert len(updates) == 1
    scene.goes_on(PRICE)


@pytest.mark.parametrize("pull", [TearBefore, TearAfter])
@pytest.mark.parametrize("number", range(1, 12))
def test_case_12_t0_card_pulled_at_any_command(
    stage: Stage, number: int, pull: type[TearBefore] | type[TearAfter]
) -> None:
    """Eleven: the UPDATE's answer is fetched by GET RESPONSE, which may be lost on its own."""
    scene = Scene(stage, stage.card(mask=GENERIC_T0), stage.till())
    reader = pull(scene.card.plug(), nth(number))
    state = sell(scene, reader)
    acted = number > UPDATE_AT or (number == UPDATE_AT and pull is TearAfter)
    if number in (UPDATE_AT, UPDATE_AT + 1):
        assert state is State.UNKNOWN
        scene.settle()
    else:
        assert state is (State.CLOSED if acted else None)
    scene.goes_on(PRICE * acted)


def test_case_12_wrong_protocol() -> None:
    """What PC/SC says of a card that speaks neither: a sentence for people, no sale begun."""
    for code in (Code.PROTO_MISMATCH, Code.UNSUPPORTED_CARD):
        assert assert_worded(error_of(code)) == "CARD_PROTOCOL"


def test_case_12_t1_waiting_time_extension(scene: Scene) -> None:
    """WTX and R-blocks end in the reader's driver: what a host sees of them is time."""
    reader = Slow(scene.card.plug(), every(UPDATE), 5.0, scene.stage.clock.sleep)
    assert scene.customer(reader).buy(PRICE).goods_are_due
    scene.goes_on(PRICE)


@pytest.mark.parametrize("status", [0x6C00, 0x6C36, 0x6100, 0x6110])
def test_case_12_t0_status_to_the_update_is_never_a_reason_to_send_it_again(
    scene: Scene, status: int
) -> None:
    reader = Answers(scene.card.plug(), every(UPDATE), just(status), acted=True)
    shop = scene.customer(reader)
    assert shop.buy(PRICE).state is State.UNKNOWN
    assert scene.card.newest().ctr == 1
    scene.settle()
    scene.goes_on(PRICE)


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize("number", COMMANDS)
def test_case_13_unexpected_status(stage: Stage, number: int, acted: bool) -> None:
    scene = Scene(stage, stage.card(WalletSpec(granted=1_000_00)), stage.till())
    paid = number > UPDATE_AT or (number == UPDATE_AT and acted)
    for times, status in enumerate(STATUSES, 1):
        state = try_to_sell(scene, just(status), number, acted=acted)
        assert state is expected_state(number)
        if state is State.UNKNOWN:
            scene.settle()
        scene.holds(times * PRICE * paid)
    scene.goes_on(len(STATUSES) * PRICE * paid)


# longer, shorter, endless ----------------------------------------------------------------------

SHAPES: dict[str, Answer] = {
    "nothing": lambda _answer: b"",
    "one byte": lambda answer: answer[-1:],
    "status only": lambda answer: answer[-2:],
    "a byte less": lambda answer: answer[1:],
    "a byte more": lambda answer: b"\x00" + answer,
    "twice": lambda answer: answer[:-2] + answer,
    "another length inside": lambda answer: answer[:1] + b"\x7f" + answer[2:],
    "an endless length inside": lambda answer: answer[:1] + b"\x84\xff\xff\xff\xff" + answer[2:],
    "64 KiB": lambda answer: bytes(65_536) + answer,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("number", COMMANDS)
def test_bad_answer_longer_or_shorter_than_announced(scene: Scene, number: int, shape: str) -> None:
    """What carries nothing but 9000 is not hurt by bytes that nobody asked for."""
    reader = AlteredAnswer(scene.card.plug(), nth(number), SHAPES[shape])
    state = sell(scene, reader)
    if number == UPDATE_AT:
        assert state is State.UNKNOWN
    elif number == CHALLENGE_AT:  # eight other bytes: the card will not know this challenge
        assert state in (None, State.UNKNOWN)
    else:
        assert state in (expected_state(number), State.CLOSED)
    if state is State.UNKNOWN:
        scene.settle()
    scene.goes_on(PRICE * (state is State.CLOSED or number == UPDATE_AT))


@pytest.mark.parametrize("number", COMMANDS)
@pytest.mark.parametrize("chunk", ["", "00" * 16])
def test_bad_answer_endless_61xx(scene: Scene, number: int, chunk: str) -> None:
    """From one command on the card promises more, for ever."""
    promise = bytes.fromhex(chunk) + b"\x61\x10"
    begun = from_the(number)
    asked: list[bytes] = []

    def more(apdu: bytes) -> bytes:
        asked.append(apdu)
        assert len(asked) < 1000, "the channel does not stop asking"
        return promise

    state = sell(scene, Answers(scene.card.plug(), begun, more))
    assert state is expected_state(number)
    if state is State.UNKNOWN:
        scene.settle()
    scene.goes_on(PRICE * (number > UPDATE_AT))


@pytest.mark.parametrize("number", COMMANDS)
def test_bad_answer_endless_6cxx(scene: Scene, number: int) -> None:
    """Every length is the wrong one."""
    count = 0

    def other(_apdu: bytes) -> bytes:
        nonlocal count
        count += 1
        assert count < 1000, "the channel does not stop repeating"
        return bytes((0x6C, count & 0xFF))

    state = sell(scene, Answers(scene.card.plug(), from_the(number), other))
    assert state is expected_state(number)
    if state is State.UNKNOWN:
        scene.settle()
    scene.goes_on(PRICE * (number > UPDATE_AT))


@pytest.mark.parametrize(
    "fcp",
    [
        "62", "6F00", "6281", "62FF", "6284FFFFFFFF", "620280", "6F0A8004FFFFFFFF8302",
        "6F0583033F0000", "62" + "80" * 40, "00" * 300, "6F8200028A00",
    ],
)  # fmt: skip
def test_bad_answer_absurd_fcp(scene: Scene, fcp: str) -> None:
    """A control template nobody asked for, and none that can be read: SELECT said 9000."""
    reader = AlteredAnswer(
        scene.card.plug(), every(SELECT), lambda answer: bytes.fromhex(fcp) + answer
    )
    assert sell(scene, reader) is State.CLOSED
    channel = Channel(reader)
    channel.run(inspect_card())
    scene.goes_on(PRICE)


# wrong MACs both ways, replays -----------------------------------------------------------------


def test_bad_answer_wrong_mac_of_the_card(scene: Scene) -> None:
    """The confirmation of the UPDATE with one bit turned: the money moved, nobody believes it."""
    reader = AlteredAnswer(scene.card.plug(), every(UPDATE), turned)
    assert sell(scene, reader) is State.UNKNOWN
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_COMMITTED"
    scene.goes_on(PRICE)


def test_bad_answer_wrong_mac_of_the_host(scene: Scene) -> None:
    """The UPDATE with one bit turned on its way: the card refuses, and a read says so."""

    class Turned(Shim):
        def transmit(self, apdu: bytes) -> bytes:
            if apdu[1] == UPDATE:
                apdu = apdu[:-2] + bytes((apdu[-2] ^ 1,)) + apdu[-1:]
            return self.inner.transmit(apdu)

    assert sell(scene, Turned(scene.card.plug())) is State.UNKNOWN
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_NOT_APPLIED"
    scene.goes_on(0)


def test_bad_answer_replayed_reads(scene: Scene) -> None:
    shim = StaleRead(scene.card.plug())
    scene.customer(shim).buy(PRICE)
    shim.replay()
    assert shown_code(lambda: scene.customer(shim).buy(PRICE)) == "CARD_MAC_BAD"
    scene.goes_on(PRICE)


@pytest.mark.parametrize("number", [CHALLENGE_AT, 5, 6, UPDATE_AT, 10])
def test_bad_answer_replayed_from_the_sale_before(scene: Scene, number: int) -> None:
    """Challenge, records, confirmation and certificate of an earlier sale, at their places."""
    earlier = scene.customer()
    earlier.buy(PRICE)
    old = earlier.trace[number - 1].answer
    assert old is not None
    reader = Answers(scene.card.plug(), nth(number), lambda _apdu: old, acted=True)
    state = sell(scene, reader)
    if number == CHALLENGE_AT:
        assert state is State.UNKNOWN  # the MAC is over a challenge that the card does not hold
    else:
        assert state is expected_state(number)
    if number == 10:
        assert committed(scene.till)[-1].tc is None
    if state is State.UNKNOWN:
        scene.settle()
    paid = PRICE * (1 + (number >= UPDATE_AT))
    scene.goes_on(paid)


def test_bad_answer_of_another_card(scene: Scene) -> None:
    """A reader that mixes two cards: every answer is genuine, but not this card's."""
    other = scene.stage.card(number=2)
    for number in (2, CHALLENGE_AT, 5, 6, UPDATE_AT):
        stranger = other.plug()
        reader = Mixed(scene.card.plug(), stranger, nth(number))
        assert sell(scene, reader) is not State.CLOSED
        if scene.till.journal.views.unsettled():
            scene.settle()
    assert other.newest().ctr == 0
    scene.goes_on(0)


class Mixed(Shim):
    """Both cards hear every command; some answers are the other one's."""

    def __init__(self, inner: CardConnection, other: CardConnection, when: Trigger) -> None:
        super().__init__(inner)
        self._other, self._when = other, when

    def transmit(self, apdu: bytes) -> bytes:
        """The UPDATE goes to the other card only when its answer is wanted."""
        wanted = self._when(apdu)
        if apdu[1] == UPDATE and not wanted:
            return self.inner.transmit(apdu)
        if apdu[1] == UPDATE:
            return self._other.transmit(apdu)
        own, others = self.inner.transmit(apdu), self._other.transmit(apdu)
        return others if wanted else own


# ------------------------------------------------------------------------------------------------


def expected_state(number: int) -> State | None:
    """After an answer to command ``number`` that nobody can believe."""
    if number < UPDATE_AT:
        return None
    return State.UNKNOWN if number == UPDATE_AT else State.CLOSED


def turned(answer: bytes) -> bytes:
    """One bit of the last data byte."""
    return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]


def from_the(number: int) -> Trigger:
    """Strikes at the ``number``-th command and at all after it."""
    count = 0

    def strikes(_apdu: bytes) -> bool:
        nonlocal count
        count += 1
        return count >= number

    return strikes
