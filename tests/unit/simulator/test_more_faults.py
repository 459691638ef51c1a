"""Worn, disturbed and replaying cards; and that every fault has a name."""

import pytest

from cardlib.channel import Channel
from cardlib.codec.apdu import Command
from cardlib.errors import CardGoneError, MalformedError
from simulator import fault_options
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.errors import FaultError
from simulator.fault_options import parse, with_faults
from simulator.faults import IdleReset, Shim, WrongCommandMac, every, nth, since
from simulator.timing import VirtualClock
from tests.unit.simulator.host import PIN, Host, aes_vectors, purse_memory, verify

SPEND_4 = bytes.fromhex(aes_vectors()["spend_4"])
SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])
READ_INFO = bytes.fromhex("00B0810011")
READ_NEWEST = bytes.fromhex("0CB2011C42")
SELECT_PURSE = bytes.fromhex("00A4080C041200B001")


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(purse_memory(), SeededRandomness("more faults"))


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def newest(card: VirtualCard) -> bytes:
    purse = card.memory.find((0x1200, 0xB001))
    assert purse is not None
    file = purse.file(0xB103)
    assert file is not None
    return file.records[0]


def host(card: VirtualCard, *faults: str, clock: VirtualClock | None = None) -> Host:
    """A host with the purse open, before a card with these faults."""
    opened = Host(with_faults(card, list(faults), clock or VirtualClock()).connection)
    opened.open_purse()
    return opened


def test_a_worn_chip_says_6581_and_has_not_written(card: VirtualCard) -> None:
    till = host(card, "memory-failure:update-record:1")
    assert till.status(till.spend(SPEND_5)) == "6581"
    assert newest(card) == SPEND_4


def test_a_worn_chip_may_say_6581_and_have_written(card: VirtualCard) -> None:
    till = host(card, "memory-failure-written:DC:1")
    assert till.status(till.spend(SPEND_5)) == "6581"
    assert newest(card) == SPEND_5


def test_an_answer_with_a_wrong_mac_differs_in_its_last_mac_bit_alone(card: VirtualCard) -> None:
    honest = host(card).expect(READ_NEWEST)
    disturbed = host(card, "wrong-mac:read-record:1").expect(READ_NEWEST)
    assert disturbed == honest[:-1] + bytes((honest[-1] ^ 1,))


def test_an_answer_without_a_mac_passes_unchanged(card: VirtualCard) -> None:
    assert host(card, "wrong-mac:read-binary:1").expect(READ_INFO) == host(card).expect(READ_INFO)


def test_a_command_whose_mac_is_disturbed_on_its_way_is_refused(card: VirtualCard) -> None:
    till = host(card, "wrong-command-mac:update-record:1")
    assert till.status(till.spend(SPEND_5)) == "6988"
    assert newest(card) == SPEND_4


def test_a_command_without_a_mac_reaches_the_card_unchanged(card: VirtualCard) -> None:
    shim = WrongCommandMac(InProcessConnection(card), every(0xB0))
    assert Host(shim).status(SELECT_PURSE) == "9000"
    assert Host(shim).status(READ_INFO) == "9000"


def test_a_blocked_pin_refuses_the_right_pin_too_and_is_no_lasting_harm(card: VirtualCard) -> None:
    blocked = Host(with_faults(card, ["blocked-pin"], VirtualClock()).connection)
    blocked.select_purse()
    assert blocked.status(verify(PIN)) == "6983"
    honest = Host(InProcessConnection(card))
    honest.select_purse()
    assert honest.status(verify(PIN)) == "9000"


def test_a_card_left_idle_five_seconds_is_reset_and_says_so_once(
    card: VirtualCard, clock: VirtualClock
) -> None:
    till = host(card, "idle-reset", clock=clock)
    clock.sleep(5)
    with pytest.raises(CardGoneError):
        till.send(READ_INFO)
    assert till.status(READ_INFO) == "6A82"


def test_a_card_asked_every_two_seconds_is_not_reset(
    card: VirtualCard, clock: VirtualClock
) -> None:
    reader = IdleReset(InProcessConnection(card), clock)
    till = Host(reader)
    till.open_purse()
    for _ in range(4):
        clock.sleep(2)
        reader.keep_alive()
    assert till.status(till.spend(SPEND_5)) == "9000"


def test_an_endless_answer_ends_in_a_named_error(card: VirtualCard) -> None:
    faulty = with_faults(card, ["endless-answer:read-binary:1"], VirtualClock())
    channel = Channel(faulty.connection)
    channel.transmit(SELECT_PURSE)
    with pytest.raises(MalformedError):
        channel.send(Command.decode(READ_INFO))
    assert channel.transmit(SELECT_PURSE) == b"\x90\x00"


def test_answers_longer_and_shorter_than_announced(card: VirtualCard) -> None:
    honest = host(card).expect(READ_INFO)
    assert host(card, "longer-answer:read-binary:1").expect(READ_INFO) == honest + bytes(2)
    assert host(card, "shorter-answer:read-binary:1").expect(READ_INFO) == honest[:-1]


def test_an_answer_without_data_made_shorter_is_no_status_word(card: VirtualCard) -> None:
    faulty = with_faults(card, ["shorter-answer:1"], VirtualClock())
    with pytest.raises(MalformedError):
        Channel(faulty.connection).transmit(SELECT_PURSE)


def test_a_replayed_challenge_is_the_one_before(card: VirtualCard) -> None:
    till = host(card, "replayed:get-challenge:2")
    first = till.challenge
    assert till.expect("0084000008") == first
    assert till.status(till.spend(SPEND_5)) == "9000"  # the card still holds that challenge


def test_a_stale_read_begins_at_the_command_named(card: VirtualCard) -> None:
    till = host(card, "stale-read:read-record:2")
    till.expect(READ_NEWEST)
    till.expect(till.spend(SPEND_5))
    assert SPEND_4 in till.expect(READ_NEWEST)


def test_a_garbage_atr_leaves_the_card_behind_it_alone(card: VirtualCard) -> None:
    faulty = with_faults(card, ["garbage-atr:3B"], VirtualClock())
    assert faulty.connection.atr == b"\x3b"
    assert card.atr != b"\x3b"


@pytest.mark.parametrize("name", fault_options.NAMES)
def test_every_fault_can_be_asked_for_by_name(name: str, card: VirtualCard) -> None:
    bare = InProcessConnection(card)
    value = {"slow": ":0.1", "forged-map": ":FF"}.get(name, ":1")
    if name in ("blocked-pin", "pin-wedge", "idle-reset", "garbage-atr", "timed"):
        value = ""
    assert isinstance(parse(name + value, VirtualClock())(bare, card), Shim)
    assert f"``{name}" in (fault_options.__doc__ or "")


@pytest.mark.parametrize("name", fault_options.PRESETS)
def test_every_preset_is_a_fault_that_says_whether_it_has_struck(
    name: str, card: VirtualCard
) -> None:
    fault = parse(name, VirtualClock())
    waits = ":" in fault_options.PRESETS[name] and name != "slow"
    assert fault.struck is not waits
    assert fault.text == name


@pytest.mark.parametrize(
    "text",
    ["", "mute:", "mute:0", "mute:READ-EVERYTHING:1", "pin-wedge:1", "idle-reset:soon",
     "garbage-atr:xyz", "slow:", "forged-map", "hurricane:1"],
)  # fmt: skip
def test_what_is_no_fault_is_refused_by_name(text: str, card: VirtualCard) -> None:
    with pytest.raises(FaultError) as refused:
        with_faults(card, [text], VirtualClock())
    assert refused.value.facts["fault"] == text


def test_since_strikes_from_the_first_time_on() -> None:
    strikes = since(nth(2))
    assert [strikes(b"\x00\xb0") for _ in range(4)] == [False, True, True, True]
