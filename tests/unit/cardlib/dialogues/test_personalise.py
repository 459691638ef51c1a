"""Personalisation against virtual stock cards: what is made, tears, wrong stock."""

from dataclasses import dataclass, field, replace

import pytest

from cardlib.codec.apdu import Command
from cardlib.codec.files import KeyId
from cardlib.codec.personal_data import PersonalData
from cardlib.codec.pin import Pin
from cardlib.dialogues.blank_card import BlankCard, look
from cardlib.dialogues.load import LoadPlan, load
from cardlib.dialogues.personalise import PursePlan, Receipt, TransportKeys, personalise
from cardlib.dialogues.pin import verify
from cardlib.dialogues.volley import converse, send_all
from cardlib.errors import AuthenticityError, CardGoneError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.attestation import is_genuine
from simulator.card.filesystem import LifeCycle, Memory
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from tests.unit.cardlib.dialogues.purse_bench import (
    INFO,
    KEYS,
    PIN,
    PUK,
    NotingAuthority,
    TornConnection,
    connect,
    count_volleys,
    init_spend,
    keys_by_id,
    white_memory,
)

TRANSPORT = TransportKeys(
    TRAINING_TRANSPORT_KEYS[KeyId.TRANSPORT_COMMAND],
    TRAINING_TRANSPORT_KEYS[KeyId.TRANSPORT_RESPONSE],
    TRAINING_TRANSPORT_KEYS[KeyId.TRANSPORT_ENCIPHER],
)
PLAN = PursePlan(INFO, KEYS, TRANSPORT, Pin(PIN), Pin(PUK), init_spend())
COMMANDS_ON_A_WHITE_CARD = 3 + 1 + 3 + 17 * 3 + 6


@dataclass
class FixedPlan:
    """Always the same purse, as a backend that remembers what it began with."""

    purse: PursePlan = PLAN
    cards: list[BlankCard] = field(default_factory=list)

    def plan(self, card: BlankCard) -> PursePlan:
        self.cards.append(card)
        return self.purse


def make(memory: Memory, purse: PursePlan = PLAN) -> Receipt:
    return converse(
        personalise(FixedPlan(purse), SeededRandomness("host")), connect(memory).transmit
    )


def crs_memory() -> Memory:
    return make_card(CRS_STINCARD, SeededRandomness("stock"), Holder(), TRAINING_TRANSPORT_KEYS)


def is_complete(memory: Memory) -> bool:
    purse = memory.find((0x1200, 0xB001))
    return purse is not None and purse.life is LifeCycle.OPERATIONAL


def test_a_personalised_card_proves_it_and_can_be_used() -> None:
    memory = white_memory()

    receipt = make(memory)

    read = receipt.init.read
    assert receipt.init.spend == init_spend()
    assert is_genuine(KEYS.attest, INFO, 1, read.record, read.random, read.tc or b"")
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    assert purse.keys == keys_by_id()
    connection = connect(memory)
    assert converse(send_all(*select_b001()), connection.transmit)[1].data == bytes(INFO)
    converse(verify(Pin(PIN)), connection.transmit)
    converse(
        load(NotingAuthority(LoadPlan(None, (), 0)), SeededRandomness("load")), connection.transmit
    )


def select_b001() -> tuple[Command, Command]:
    from cardlib.codec.commands import read_info, select_purse

    return select_purse(0xB001), read_info()


def test_a_white_card_takes_twenty_one_round_trips() -> None:
    dialogue = personalise(FixedPlan(), SeededRandomness("host"))
    _, volleys = count_volleys(dialogue, connect(white_memory()).transmit)
    assert len(volleys) == 21


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, COMMANDS_ON_A_WHITE_CARD + 1, 2))
def test_a_torn_personalisation_is_finished_by_the_next(number: int, after: bool) -> None:
    memory = white_memory()
    connection = connect(memory)
    torn = TornConnection(connection, number, after=after)
    with pytest.raises(CardGoneError):
        converse(personalise(FixedPlan(), SeededRandomness("first")), torn.transmit)

    connection.reset()
    receipt = converse(personalise(FixedPlan(), SeededRandomness("second")), connection.transmit)

    assert receipt.directory == 0xB001
    assert is_complete(memory)


def test_a_card_torn_before_its_receipt_is_only_asked_for_it() -> None:
    memory = white_memory()
    make(memory)
    sent: list[int] = []
    connection = connect(memory)

    def note(apdu: bytes) -> bytes:
        sent.append(Command.decode(apdu).ins)
        return connection.transmit(apdu)

    converse(personalise(FixedPlan(), SeededRandomness("again")), note)

    assert not {0xE0, 0xDA, 0xDC, 0xD6, 0x44} & set(sent)


def test_a_second_purse_gets_the_next_directory() -> None:
    memory = white_memory()
    make(memory)
    other = replace(PLAN, info=replace(INFO, purse=bytes(8), issuer=bytes.fromhex("015146")))

    receipt = make(memory, other)

    assert receipt.directory == 0xB002


@pytest.mark.parametrize("which", ["command", "response"])
def test_nothing_secret_is_sent_to_a_card_with_other_transport_keys(which: str) -> None:
    memory = white_memory()
    services = memory.find((0x1200,))
    assert services is not None
    wrong = KeyId.TRANSPORT_COMMAND if which == "command" else KeyId.TRANSPORT_RESPONSE
    services.keys[wrong] = bytes(16)
    sent: list[int] = []
    connection = connect(memory)

    def note(apdu: bytes) -> bytes:
        sent.append(Command.decode(apdu).ins)
        return connection.transmit(apdu)

    with pytest.raises(AuthenticityError, match="TRANSPORT_KEY_WRONG"):
        converse(personalise(FixedPlan(), SeededRandomness("host")), note)

    assert 0xDA not in sent
    assert not is_complete(memory)


def test_a_write_answered_without_a_valid_mac_stops_the_injection() -> None:
    connection = connect(white_memory())
    puts: list[bytes] = []

    def lie(apdu: bytes) -> bytes:
        if Command.decode(apdu).ins != 0xDA:
            return connection.transmit(apdu)
        puts.append(apdu)
        return b"\x90\x00"

    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        converse(personalise(FixedPlan(), SeededRandomness("host")), lie)
    assert len(puts) == 1


def test_keys_and_pins_never_cross_the_line_in_clear() -> None:
    connection = connect(white_memory())
    line = bytearray()

    def tap(apdu: bytes) -> bytes:
        line.extend(apdu)
        return connection.transmit(apdu)

    converse(personalise(FixedPlan(), SeededRandomness("host")), tap)

    secrets = [*keys_by_id().values(), Pin(PIN).block, Pin(PUK).block]
    assert [secret for secret in secrets if secret in line] == []


def test_the_receipt_must_be_the_record_that_was_written() -> None:
    memory = white_memory()
    make(memory)
    purse = memory.find((0x1200, 0xB001))
    assert purse is not None
    spend = purse.file_by_sfi(3)
    assert spend is not None
    spend.records[0] = records.seal_spend(KEYS.debit.record, init_spend(ctr=1))

    with pytest.raises(AuthenticityError, match="CARD_READ_BACK_DIFFERS"):
        make(memory)


def test_a_white_card_shows_its_serial_only() -> None:
    memory = white_memory()
    card = converse(look(), connect(memory).transmit)
    assert card == BlankCard(memory.serial, ())


def test_a_crs_shows_holder_and_certificate() -> None:
    memory = crs_memory()
    card = converse(look(), connect(memory).transmit)
    assert card.serial == memory.serial
    assert PersonalData.decode(card.personal_data).surname == Holder().surname
    assert card.certificate[:1] == b"\x30"


def test_another_card_is_named_as_such() -> None:
    with pytest.raises(PurseRefusedError, match="CARD_NOT_CRS"):
        converse(look(), lambda _apdu: b"\x6a\x82")
