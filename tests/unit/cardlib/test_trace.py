"""A trace says in names and contents what went over the wire, and never a PIN."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.connection import CardConnection
from cardlib.trace import Exchange, command_name, instruction
from cardlib.trace.conversation import Conversation
from cardlib.trace.details import Decoded, Mac
from cardlib.trace.keyring import TraceKeys
from cardlib.trace.wording import expanded, short
from cardlib.wire.money import Money
from simulator.card.masks import WHITE_APPLET
from simulator.connection import InProcessConnection
from simulator.faults import WrongMac, nth
from terminal.counter import Counter
from terminal.sale.offer import Item
from tests.integration.terminal.stage import FOOD, PIN, Stage, StageCard

SELECT_PURSE, READ_INFO = bytes.fromhex("00A4080C041200B001"), bytes.fromhex("00B0810011")
NO_TRANSPORT = "cold"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.open_tills.close()


def sale_trace(
    stage: Stage, plastic: StageCard, connection: CardConnection | None = None
) -> list[Exchange]:
    """The exchanges of one sale of 4.00 EUR."""
    trace: list[Exchange] = []
    counter = Counter(stage.till())
    card = counter.card(connection or plastic.plug(), trace.append)
    with counter.sale(card) as sale:
        sale.read()
        sale.basket([Item(FOOD, Money(4_00))])
        sale.agree(Pin(PIN))
        sale.commit()
        sale.finish()
    return trace


def decoded(trace: list[Exchange], plastic: StageCard | None = None) -> list[Decoded]:
    keys = TraceKeys.of_shop(plastic.info, plastic.keys.debit) if plastic else None

    def keyring(directory: int, _info: Info | None) -> TraceKeys | None:
        return keys if directory == 0xB001 else None

    conversation = Conversation(keyring)
    return [conversation.decode(exchange) for exchange in trace]


def test_a_sale_reads_as_what_happened(stage: Stage) -> None:
    plastic = stage.card()
    lines = [short(item, "en") for item in decoded(sale_trace(stage, plastic), plastic)]
    assert lines[0] == "SELECT: DF.BUONO 1"
    assert "GET CHALLENGE: challenge of the card" in lines[2]
    assert lines[4].startswith("READ RECORD EF.SPEND 1: first record, number 0")
    assert lines[4].endswith("answer MAC good")
    assert "grant 1 of wallet 1; 100.00 EUR in all, programme 12" in lines[5]
    assert lines[6] == "VERIFY: PIN of the purse"
    assert "sale, number 1; wallet 1 has spent 4.00 EUR" in lines[7]
    assert lines[7].endswith("command MAC good; answer MAC good")
    assert lines[8].endswith("answers from now on for the backend (K_TC)")
    assert lines[9].endswith("answer MAC not checked (key or random unknown)")


def test_without_keys_the_clear_parts_are_told(stage: Stage) -> None:
    plastic = stage.card()
    update = decoded(sale_trace(stage, plastic))[7]
    assert [item.key for item in update.details] == ["spend_sale", "command_mac", "answer_mac"]
    assert update.detail("command_mac") == {"mac": Mac.UNKNOWN}


def test_money_reads_as_in_the_reader_s_language(stage: Stage) -> None:
    plastic = stage.card()
    update = decoded(sale_trace(stage, plastic), plastic)[7]
    assert "posto 1: spesi 4,00 EUR" in short(update, "it")


def test_a_wrong_mac_is_called_wrong(stage: Stage) -> None:
    plastic = stage.card()
    connection = InProcessConnection(plastic.card)
    shim = WrongMac(connection, nth(1, 0xB2))
    conversation = Conversation(
        lambda _directory, _info: TraceKeys.of_shop(plastic.info, plastic.keys.debit)
    )
    told = []
    for apdu in ("00A4080C041200B001", "80860000080102030405060708", "0CB2011C42", "0CB2011C42"):
        command = bytes.fromhex(apdu)
        told.append(conversation.decode(Exchange(command, shim.transmit(command))))
    assert told[2].detail("answer_mac") == {"mac": Mac.BAD}
    assert told[3].detail("answer_mac") == {"mac": Mac.GOOD}
    assert short(told[2], "en").endswith("answer MAC WRONG")


def test_after_a_reset_an_old_random_judges_nothing(stage: Stage) -> None:
    plastic = stage.card()
    keys = TraceKeys.of_shop(plastic.info, plastic.keys.debit)
    trace = sale_trace(stage, plastic)
    conversation = Conversation(lambda _directory, _info: keys)
    for exchange in trace[:4]:
        conversation.decode(exchange)
    conversation.reset()
    conversation.decode(trace[0])
    assert conversation.decode(trace[4]).detail("answer_mac") == {"mac": Mac.UNKNOWN}


@pytest.mark.parametrize("form", ["short", "expanded", "json"])
def test_no_form_shows_a_pin(stage: Stage, form: str) -> None:
    plastic = stage.card()
    shown = ""
    for item in decoded(sale_trace(stage, plastic), plastic):
        shown += {
            "short": short(item, "en"),
            "expanded": "".join(expanded(item, "en")).replace(" ", ""),
            "json": json.dumps(item.as_object()),
        }[form]
        shown += repr(item) + str(item.exchange)
    assert PIN not in shown
    assert PIN.encode().hex() not in shown.lower()


def test_json_has_money_in_cents(stage: Stage) -> None:
    plastic = stage.card()
    told = json.loads(
        json.dumps([d.as_object() for d in decoded(sale_trace(stage, plastic), plastic)])
    )
    assert {"key": "spent_total", "slot": 1, "total": 400} in told[7]["details"]


def test_an_answer_fetched_in_two_parts_is_told_whole(stage: Stage) -> None:
    plastic = stage.card()
    connection = plastic.plug()
    connection.transmit(SELECT_PURSE)
    info = connection.transmit(READ_INFO)[:-2]
    conversation = Conversation()
    first = conversation.decode(Exchange(READ_INFO, info[:10] + b"\x61\x07"))
    whole = conversation.decode(Exchange(bytes.fromhex("00C0000007"), info[10:] + b"\x90\x00"))
    assert short(first, "en") == "READ BINARY EF.INFO: 7 bytes more to fetch"
    assert whole.detail("info") is not None


@pytest.mark.parametrize(
    ("apdu", "answer", "line"),
    [
        ("00A4080C0411001102", "9000", "SELECT: EF_DATI_PERSONALI"),
        ("00A40000023F00", "9000", "SELECT: MF"),
        ("00A4040005A000000001", "6A82", "SELECT: AID A000000001; 6A82 not found"),
        ("0020001008FFFFFFFFFFFFFFFF", "63C2", "VERIFY: PIN of the card; tries left 2; 63C2"),
        ("0020009C", "6983", "VERIFY: PIN of the purse; tries left 0; 6983 blocked"),
        ("00B2011C36", "6982", "READ RECORD EF.SPEND 1: 6982 access condition not fulfilled"),
        ("00B00000FF", None, "READ BINARY: no answer"),
        ("00B00000FF", "90", "READ BINARY: no answer"),
        ("00", "6700", "malformed command: 6700 wrong length"),
        ("80FF0000", "6D00", "INS FF: 6D00 command unknown"),
    ],
)  # fmt: skip
def test_status_words_and_places_in_words(apdu: str, answer: str | None, line: str) -> None:
    exchange = Exchange(bytes.fromhex(apdu), None if answer is None else bytes.fromhex(answer))
    assert short(Conversation().decode(exchange), "en") == line


def test_names_of_instructions_are_found_in_any_case() -> None:
    assert instruction("update record") == 0xDC
    assert instruction("UPDATE EVERYTHING") is None
    assert command_name(bytes.fromhex("00B2011C36")) == "READ RECORD EF.SPEND 1"


def test_a_sale_on_an_applet_card_reads_as_what_happened(stage: Stage) -> None:
    plastic = stage.card(mask=WHITE_APPLET)
    lines = [short(item, "en") for item in decoded(sale_trace(stage, plastic), plastic)]
    initialise = next(line for line in lines if line.startswith("INITIALISE FOR DEBIT"))
    assert "first record, number 0; " in initialise
    assert initialise.endswith("answer MAC good")
    debit = next(line for line in lines if line.startswith("DEBIT"))
    assert debit == "DEBIT: takes 4.00 EUR from wallet 1; by till 502, entry 2"
