"""The load dialogue against a virtual card: round trips, tears, cards that lie."""

import pytest

from cardlib.codec.apdu import Command
from cardlib.codec.purse import SpendType
from cardlib.dialogues.load import CardState, GrantWrite, LoadPlan, ReadDown, load, map_of
from cardlib.dialogues.volley import converse
from cardlib.errors import AuthenticityError, CardGoneError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.grants import SignedGrant
from simulator.card.chip import Tear
from simulator.card.filesystem import ElementaryFile, Memory
from simulator.card.randomness import SeededRandomness
from tests.unit.cardlib.dialogues.purse_bench import (
    INFO,
    ISSUER_KEY,
    KEYS,
    NotingAuthority,
    TornConnection,
    connect,
    count_volleys,
    grants_on,
    init_spend,
    loaded_memory,
    record_map,
    signed_grant,
    white_memory,
)

OLD, NEW = signed_grant(7, 5000), signed_grant(8, 9000)
RELOAD = LoadPlan(GrantWrite(2, NEW), (1,), map_of((2,)))
COMMANDS_OF_A_RELOAD = 23


def wallet_alive(memory: Memory) -> SignedGrant | None:
    """What a till makes of the grants on the card: the highest number with a good signature."""
    good: list[SignedGrant] = []
    for signed in grants_on(memory).values():
        signed.verify(INFO.core, ISSUER_KEY.public)
        good.append(signed)
    return max(good, key=lambda item: item.grant.grant_seq, default=None)


def reload_plan(state: CardState) -> LoadPlan:
    """What a backend decides after reading: finish what is there, or write anew."""
    held = {
        item.signed.grant.grant_seq: item.number for item in state.grants if item.signed is not None
    }
    if NEW.grant.grant_seq in held:
        clear = (held[7],) if 7 in held else ()
        return LoadPlan(None, clear, map_of((held[8],)))
    return RELOAD


def test_a_reload_takes_five_round_trips() -> None:
    memory = loaded_memory({1: OLD}, record_map=1)
    authority = NotingAuthority(RELOAD)

    plan, volleys = count_volleys(
        load(authority, SeededRandomness("host")), connect(memory).transmit
    )

    assert volleys == [2, 12, 4, 4, 1]
    assert sum(volleys) == COMMANDS_OF_A_RELOAD
    assert plan == RELOAD
    assert grants_on(memory) == {2: NEW}
    assert record_map(memory) == 0b10
    assert authority.notes == ["granted 2", "cleared 1"]


def test_a_first_load_takes_four_round_trips() -> None:
    memory = loaded_memory()
    plan = LoadPlan(GrantWrite(1, NEW), (), map_of((1,)))

    _, volleys = count_volleys(
        load(NotingAuthority(plan), SeededRandomness("host")), connect(memory).transmit
    )

    assert volleys == [2, 12, 4, 1]
    assert grants_on(memory) == {1: NEW}


def test_state_is_what_the_card_holds_not_what_its_map_says() -> None:
    memory = loaded_memory({1: OLD, 5: NEW}, record_map=0b1000_0000)
    authority = NotingAuthority(LoadPlan(None, (), map_of((5,))))

    converse(load(authority, SeededRandomness("host")), connect(memory).transmit)

    held = {item.number: item.signed for item in authority.states[0].grants if item.signed}
    assert held == {1: OLD, 5: NEW}
    assert record_map(memory) == 0b1_0000


@pytest.mark.parametrize("number", range(1, COMMANDS_OF_A_RELOAD + 1))
@pytest.mark.parametrize("fault", ["before", "after", *Tear])
def test_a_wallet_lives_wherever_the_load_is_torn(number: int, fault: str | Tear) -> None:
    memory = loaded_memory({1: OLD}, record_map=1)
    connection = connect(memory)
    tear = fault if isinstance(fault, Tear) else None
    torn = TornConnection(connection, number, after=fault == "after", tear=tear)

    with pytest.raises(CardGoneError):
        converse(load(NotingAuthority(RELOAD), SeededRandomness("first")), torn.transmit)

    alive = wallet_alive(memory)
    assert alive in (OLD, NEW)

    connection.reset()
    again = NotingAuthority(reload_plan)
    converse(load(again, SeededRandomness("second")), connection.transmit)
    assert grants_on(memory) == {2: NEW}
    assert record_map(memory) == 0b10


def test_a_replayed_answer_of_an_earlier_session_decides_nothing() -> None:
    """The stale-read shim of PROTOCOL 1.1."""
    memory = loaded_memory({1: OLD}, record_map=1)
    connection = connect(memory)
    seen: dict[bytes, bytes] = {}

    def record(apdu: bytes) -> bytes:
        return seen.setdefault(apdu, connection.transmit(apdu))

    converse(load(NotingAuthority(LoadPlan(None, (), 1)), SeededRandomness("first")), record)
    connection.reset()
    authority = NotingAuthority(RELOAD)

    def replay(apdu: bytes) -> bytes:
        return seen[apdu] if Command.decode(apdu).ins == 0xB2 else connection.transmit(apdu)

    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        converse(load(authority, SeededRandomness("second")), replay)
    assert not authority.states


@pytest.mark.parametrize("ins", [0xDC, 0xD6])
def test_a_write_whose_answer_mac_is_wrong_is_not_believed(ins: int) -> None:
    connection = connect(loaded_memory({1: OLD}, record_map=1))
    authority = NotingAuthority(RELOAD)

    def lie(apdu: bytes) -> bytes:
        answer = connection.transmit(apdu)
        if Command.decode(apdu).ins == ins:
            return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]
        return answer

    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        converse(load(authority, SeededRandomness("host")), lie)
    assert authority.notes == ([] if ins == 0xDC else ["granted 2", "cleared 1"])


def test_a_write_held_back_by_the_reader_is_not_a_receipt() -> None:
    """Status 9000 and a MAC that fits nothing: the record must be read back."""
    memory = loaded_memory()
    connection = connect(memory)
    authority = NotingAuthority(LoadPlan(GrantWrite(1, NEW), (), 1))

    def swallow(apdu: bytes) -> bytes:
        return b"\x90\x00" if Command.decode(apdu).ins == 0xDC else connection.transmit(apdu)

    with pytest.raises(AuthenticityError):
        converse(load(authority, SeededRandomness("host")), swallow)
    assert not authority.notes
    assert grants_on(memory) == {}


def test_proof_of_absence_is_a_read_after_a_confirmed_command() -> None:
    memory = loaded_memory({3: OLD}, record_map=0b100)
    authority = NotingAuthority(LoadPlan(None, (), 0b100, touch_map=True, reread=True))

    _, volleys = count_volleys(load(authority, SeededRandomness("host")), connect(memory).transmit)

    assert authority.notes == ["reread [3]"]
    assert volleys == [2, 12, 10]


def test_a_torn_newest_record_is_skipped() -> None:
    memory = loaded_memory()
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    spend = purse.file_by_sfi(3)
    assert spend is not None
    spend.records = [bytes.fromhex("01") + b"\xff" * 53, *spend.records[:-1]]
    authority = NotingAuthority(LoadPlan(None, (), 0))

    converse(load(authority, SeededRandomness("host")), connect(memory).transmit)

    newest = authority.states[0].newest
    assert (newest.read.index, newest.spend) == (2, init_spend())


def test_an_authority_may_ask_for_history_once() -> None:
    memory = loaded_memory()
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    spend = purse.file_by_sfi(3)
    assert spend is not None
    second = init_spend(ctr=1)
    spend.records = [records.seal_spend(KEYS.debit.record, second), *spend.records[:-1]]

    def decide(state: CardState) -> LoadPlan | ReadDown:
        return ReadDown(3) if len(state.spends) < 3 else LoadPlan(None, (), 0)

    authority = NotingAuthority(decide)
    converse(load(authority, SeededRandomness("host")), connect(memory).transmit)

    read = [item.spend for item in authority.states[1].spends]
    assert read == [second, init_spend(), None]
    assert second.type is SpendType.INIT


def test_a_card_without_a_purse_of_ours_is_refused() -> None:
    authority = NotingAuthority(RELOAD)
    with pytest.raises(PurseRefusedError, match="PURSE_MISSING"):
        converse(load(authority, SeededRandomness("host")), connect(white_memory()).transmit)


@pytest.mark.parametrize(("write", "notes"), [(1, []), (2, ["granted 2"])])
def test_a_memory_that_does_not_hold_what_was_written_is_found_out(
    write: int, notes: list[str]
) -> None:
    """The chip confirmed the write, but its attested read shows something else."""
    memory = loaded_memory({1: OLD}, record_map=1)
    connection = connect(memory)
    authority = NotingAuthority(RELOAD)
    writes = 0

    def forgetful(apdu: bytes) -> bytes:
        nonlocal writes
        answer = connection.transmit(apdu)
        command = Command.decode(apdu)
        if command.ins == 0xDC:
            writes += 1
            if writes == write:
                grant_file(memory).records[command.p1 - 1] = b"\x55" * 95
        return answer

    with pytest.raises(AuthenticityError, match="CARD_READ_BACK_DIFFERS"):
        converse(load(authority, SeededRandomness("host")), forgetful)
    assert authority.notes == notes


def grant_file(memory: Memory) -> ElementaryFile:
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    file = purse.file_by_sfi(2)
    assert file is not None
    return file
