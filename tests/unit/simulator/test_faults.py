import pytest

from cardlib.codec.apdu import Response
from cardlib.connection import CardConnection
from cardlib.errors import CardGoneError
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.faults import (
    AlteredAnswer,
    ForgedMap,
    ForgedStatus,
    HeldBack,
    InProcessConnection,
    Mute,
    PinWedge,
    ResetBefore,
    Slow,
    StaleRead,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    TwoTills,
    every,
    nth,
)
from tests.unit.simulator.host import (
    HOST_RANDOM,
    PIN,
    WRONG_PIN,
    Host,
    aes_vectors,
    purse_memory,
    verify,
)

SPEND_4 = bytes.fromhex(aes_vectors()["spend_4"])
SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])
READ_INFO = bytes.fromhex("00B0810011")
READ_NEWEST = bytes.fromhex("0CB2011C42")
UPDATE = 0xDC


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(purse_memory(), SeededRandomness("faults"))


@pytest.fixture
def connection(card: VirtualCard) -> InProcessConnection:
    return InProcessConnection(card)


def host_over(connection: CardConnection) -> Host:
    return Host(connection)


def spends(card: VirtualCard) -> list[bytes]:
    purse = card.memory.find((0x1200, 0xB001))
    assert purse is not None
    file = purse.file(0xB103)
    assert file is not None
    return file.records


def test_the_nth_command_counts_over_the_life_of_the_wrapper() -> None:
    strikes = nth(3)
    assert [strikes(b"\x00\xb0\x00\x00") for _ in range(5)] == [False, False, True, False, False]


def test_the_nth_command_with_an_instruction_ignores_others() -> None:
    strikes = nth(2, 0xDC)
    sent = [b"\x00\xdc", b"\x00\xb0", b"\x00\xdc", b"\x00\xb0", b"\x00\xdc"]
    assert [strikes(apdu) for apdu in sent] == [False, False, True, False, False]


def test_card_torn_before_the_update_has_not_written(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    torn = TearBefore(connection, nth(1, UPDATE))
    host = host_over(torn)
    host.open_purse()
    with pytest.raises(CardGoneError):
        torn.transmit(host.spend(SPEND_5))
    assert spends(card)[0] == SPEND_4


def test_card_torn_after_the_update_has_written(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    torn = TearAfter(connection, nth(1, UPDATE))
    host = host_over(torn)
    host.open_purse()
    with pytest.raises(CardGoneError):
        torn.transmit(host.spend(SPEND_5))
    assert spends(card)[:2] == [SPEND_5, SPEND_4]


def test_torn_card_is_gone_until_put_back_and_then_has_forgotten_the_pin(
    connection: InProcessConnection,
) -> None:
    torn = TearBefore(connection, nth(1, UPDATE))
    host = host_over(torn)
    host.open_purse()
    with pytest.raises(CardGoneError):
        torn.transmit(host.spend(SPEND_5))
    with pytest.raises(CardGoneError):
        torn.transmit(READ_INFO)
    with pytest.raises(CardGoneError):
        torn.reset()
    torn.close()
    torn.reinsert()
    host.select_purse()
    host.exchange_randoms()
    assert host.status(host.spend(SPEND_5)) == "6982"


@pytest.mark.parametrize(
    ("tear", "newest_is_old", "oldest_is_empty"),
    [
        (Tear.NOTHING, True, True),
        (Tear.DAMAGED_NEW, False, True),
        (Tear.DAMAGED_OLDEST, True, False),
    ],
)
def test_a_torn_write_never_loses_the_old_record(
    card: VirtualCard,
    connection: InProcessConnection,
    tear: Tear,
    newest_is_old: bool,
    oldest_is_empty: bool,
) -> None:
    torn = TearDuring(connection, card, nth(1, UPDATE), tear)
    host = host_over(torn)
    host.open_purse()
    with pytest.raises(CardGoneError):
        torn.transmit(host.spend(SPEND_5))
    records = spends(card)
    assert SPEND_4 in records[:2]
    assert SPEND_5 not in records
    assert len(records) == 20
    assert (records[0] == SPEND_4) is newest_is_old
    assert (records[-1] == bytes(54)) is oldest_is_empty
    torn.reinsert()
    host.open_purse()
    host.expect(host.spend(SPEND_5))


def test_a_torn_command_that_writes_nothing_leaves_later_writes_alone(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    torn = TearDuring(connection, card, nth(1), Tear.DAMAGED_NEW)
    host = host_over(torn)
    with pytest.raises(CardGoneError):
        torn.transmit(READ_INFO)
    torn.reinsert()
    host.open_purse()
    host.expect(host.spend(SPEND_5))
    assert spends(card)[0] == SPEND_5


def test_a_reset_in_the_middle_takes_challenge_and_pin(connection: InProcessConnection) -> None:
    host = host_over(ResetBefore(connection, nth(1, UPDATE)))
    host.open_purse()
    assert host.status(host.spend(SPEND_5)) == "6A82"


def test_a_mute_card_has_acted_and_speaks_again_after_a_reset(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    mute = Mute(connection, nth(1, UPDATE))
    host = host_over(mute)
    host.open_purse()
    for _ in range(2):
        with pytest.raises(CardGoneError):
            mute.transmit(host.spend(SPEND_5))
    assert spends(card)[:2] == [SPEND_5, SPEND_4]
    mute.reset()
    host.select_purse()


def test_a_slow_card_waits_through_the_injected_sleep(connection: InProcessConnection) -> None:
    waits: list[float] = []
    slow = Slow(connection, every(0xB0), 2.5, waits.append)
    host = host_over(slow)
    host.select_purse()
    host.expect(READ_INFO)
    assert waits == [2.5]


def test_a_stale_read_repeats_record_and_mac_of_before(connection: InProcessConnection) -> None:
    shim = StaleRead(connection)
    host = host_over(shim)
    host.open_purse()
    before = host.expect(READ_NEWEST)
    host.expect(host.spend(SPEND_5))
    assert host.expect(READ_NEWEST) != before
    shim.replay()
    assert host.expect(READ_NEWEST) == before


def test_a_forged_status_hides_a_write_that_happened(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    host = host_over(ForgedStatus(connection, nth(1, UPDATE)))
    host.open_purse()
    assert host.status(host.spend(SPEND_5)) == "6985"
    assert spends(card)[0] == SPEND_5


def test_an_update_held_back_can_be_released_while_its_challenge_lives(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    shim = HeldBack(connection, nth(1, UPDATE))
    host = host_over(shim)
    host.open_purse()
    assert host.status(host.spend(SPEND_5)) == "6985"
    assert spends(card)[0] == SPEND_4
    assert Response.decode(shim.release()).ok
    assert spends(card)[0] == SPEND_5


def test_an_update_held_back_is_dead_after_the_next_challenge(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    shim = HeldBack(connection, nth(1, UPDATE))
    host = host_over(shim)
    host.open_purse()
    host.send(host.spend(SPEND_5))
    host.exchange_randoms()
    assert Response.decode(shim.release()).status == 0x6988
    assert spends(card)[0] == SPEND_4


def test_a_pin_wedge_does_not_open_the_purse(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    host = host_over(PinWedge(connection))
    host.select_purse()
    host.exchange_randoms()
    host.expect(verify(WRONG_PIN))
    assert host.status(host.spend(SPEND_5)) == "6982"
    assert spends(card)[0] == SPEND_4


def test_of_two_tills_on_one_card_only_one_writes(
    card: VirtualCard, connection: InProcessConnection
) -> None:
    middle = TwoTills(connection)
    first, second = host_over(middle.till()), host_over(middle.till())
    for host in (first, second):
        host.open_purse()
        assert SPEND_4 in host.expect(READ_NEWEST)
    assert first.challenge == second.challenge
    answer = first.expect(first.spend(SPEND_5))
    assert first.confirmed(answer, "0CDC001B", 3)
    assert second.status(second.spend(SPEND_5)) == "6985"
    assert spends(card)[:2] == [SPEND_5, SPEND_4]


def test_an_altered_answer_arrives_changed(connection: InProcessConnection) -> None:
    host = host_over(AlteredAnswer(connection, every(0xB0), lambda answer: b"\xee" + answer[1:]))
    host.select_purse()
    assert host.expect(READ_INFO)[0] == 0xEE


def test_a_forged_map_changes_only_the_last_byte_of_info(connection: InProcessConnection) -> None:
    host = host_over(ForgedMap(connection, 0x80))
    host.select_purse()
    info = bytes.fromhex(aes_vectors()["info"])
    assert host.expect(READ_INFO) == info[:16] + b"\x80"


def test_faults_nest(card: VirtualCard, connection: InProcessConnection) -> None:
    waits: list[float] = []
    wedge = PinWedge(connection)
    torn = TearAfter(Slow(wedge, nth(1), 1.0, waits.append), nth(2))
    assert torn.atr == card.atr
    torn.transmit(bytes.fromhex("80860000 08") + HOST_RANDOM)
    with pytest.raises(CardGoneError):
        torn.transmit(verify(PIN))
    assert waits == [1.0]
