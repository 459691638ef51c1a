"""The connection to a card in a reader: time limits, dispositions, and the way back."""

import threading
from collections.abc import Iterator

import pytest

from cardlib.errors import (
    CardGoneError,
    CardMissingError,
    CardSilentError,
    PresenceError,
    ReaderMissingError,
    ServiceMissingError,
)
from cardlib.pcsc.codes import Code
from cardlib.pcsc.connection import PcscConnection, TimeLimits
from cardlib.pcsc.link import Search
from cardlib.pcsc.service import Disposition
from tests.unit.cardlib.readers.hanging import until_nothing_hangs
from tests.unit.cardlib.readers.service import ATR, Card, Service

A, B = "Reader A 00 00", "Reader B 01 00"
SELECT = bytes.fromhex("00A4000C023F00")
IMPATIENT = TimeLimits(open_s=0.2, transmit_s=0.2, control_s=0.2)
PATIENT = TimeLimits(keep_alive_s=60)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service in which nothing hangs any more when the test is over."""
    made = Service()
    yield made
    for name in (A, B):
        if name in made.readers:
            made.unhang(name)
        until_nothing_hangs(name)


@pytest.fixture
def card(service: Service) -> Card:
    card = Card()
    service.add(A, card)
    return card


@pytest.fixture
def connection(service: Service, card: Card) -> Iterator[PcscConnection]:
    made = open_(service, limits=PATIENT)
    yield made
    made.close()


def open_(
    service: Service, pattern: str = "", besides: str = "", limits: TimeLimits = PATIENT
) -> PcscConnection:
    return PcscConnection(Search(pattern, besides), limits, service.establish)


def code_of(error: pytest.ExceptionInfo[PresenceError]) -> str:
    return error.value.code


# which reader ---------------------------------------------------------------------------------


def test_the_reader_with_a_card_is_taken_and_always_the_same(service: Service) -> None:
    service.add(B, Card())
    service.add(A, Card())
    service.add("Reader 0", None)
    connection = open_(service)
    assert (connection.reader, connection.atr, connection.protocol) == (A, ATR, 1)
    connection.close()


def test_a_reader_whose_card_says_nothing_does_not_hide_the_next(service: Service) -> None:
    service.add(A, Card(refuses=Code.UNRESPONSIVE_CARD))
    service.add(B, Card())
    connection = open_(service)
    assert connection.reader == B
    connection.close()


def test_the_modules_slot_is_never_taken_for_the_customers(service: Service, card: Card) -> None:
    with pytest.raises(ReaderMissingError):
        open_(service, besides="reader a")
    service.add(B)
    with pytest.raises(CardMissingError):
        open_(service, besides="reader a")


@pytest.mark.parametrize(
    ("refusal", "kind", "code"),
    [
        (Code.UNRESPONSIVE_CARD, CardSilentError, "CARD_MUTE"),
        (Code.UNPOWERED_CARD, CardSilentError, "CARD_UNPOWERED"),
        (Code.PROTO_MISMATCH, CardSilentError, "CARD_PROTOCOL"),
        (Code.SHARING_VIOLATION, PresenceError, "READER_BUSY"),
    ],
)
def test_why_a_card_cannot_be_had_is_told(
    service: Service, refusal: Code, kind: type[PresenceError], code: str
) -> None:
    service.add(A, Card(refuses=refusal))
    with pytest.raises(kind) as caught:
        open_(service)
    assert code_of(caught) == code
    assert service.open_contexts == 0


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(Code.NO_SERVICE, "PCSC_MISSING"), (Code.SECURITY_VIOLATION, "PCSC_NOT_PERMITTED")],
)
def test_why_the_service_cannot_be_had_is_told(service: Service, refusal: Code, code: str) -> None:
    service.refuses = refusal
    with pytest.raises(ServiceMissingError) as caught:
        open_(service)
    assert code_of(caught) == code


# what becomes of the card -----------------------------------------------------------------------


def test_a_card_that_was_spoken_with_is_reset_once_and_let_go(service: Service, card: Card) -> None:
    connection = open_(service)
    connection.transmit(SELECT)
    connection.close()
    connection.close()
    assert card.ends == [Disposition.RESET]
    assert service.readers[A].owner is None
    assert service.open_contexts == 0


def test_a_card_that_was_only_looked_at_is_left_to_the_others(service: Service, card: Card) -> None:
    connection = open_(service)
    assert connection.atr == ATR
    connection.close()
    assert card.ends == []


def test_a_reset_is_one_reset_and_a_new_transaction(
    service: Service, connection: PcscConnection, card: Card
) -> None:
    connection.transmit(SELECT)
    connection.reset()
    assert card.ends == [Disposition.RESET]
    assert service.readers[A].owner is not None
    connection.close()
    assert card.ends == [Disposition.RESET], "nobody spoke with it since"


def test_a_card_that_stopped_answering_is_powered_down(service: Service, card: Card) -> None:
    connection = open_(service, limits=IMPATIENT)
    service.readers[A].hung = True
    with pytest.raises(CardGoneError):
        connection.transmit(SELECT)
    service.unhang(A)
    until_nothing_hangs(A)
    connection.reset()
    connection.close()
    assert Disposition.UNPOWER in card.ends


def test_another_program_waits_until_the_dialogue_is_over(service: Service, card: Card) -> None:
    ours = open_(service)
    with pytest.raises(PresenceError) as caught:
        open_(service, limits=IMPATIENT)
    assert code_of(caught) == "READER_BUSY"
    ours.transmit(SELECT)
    ours.close()
    until_nothing_hangs(A)
    theirs = open_(service)
    theirs.close()


# when a call never returns ------------------------------------------------------------------------


def test_a_transmit_that_never_returns_is_given_up_and_the_reader_refused_until_it_does(
    service: Service, card: Card
) -> None:
    connection = open_(service, limits=IMPATIENT)
    service.readers[A].hung = True
    with pytest.raises(CardGoneError) as caught:
        connection.transmit(SELECT)
    assert code_of(caught) == "READER_SILENT"
    with pytest.raises(CardGoneError):
        _ = connection.atr
    contexts = len(service.contexts)
    for _ in range(5):
        with pytest.raises(PresenceError) as caught_again:
            open_(service, limits=IMPATIENT)
        assert code_of(caught_again) == "READER_SILENT"
    assert service.open_contexts == 1, "only the one that hangs"
    assert len(service.contexts) == contexts + 5
    service.unhang(A)
    until_nothing_hangs(A)
    again = open_(service)
    assert again.transmit(SELECT) == b"\x90\x00"
    again.close()


def test_a_reader_that_hangs_does_not_keep_the_till_from_another(
    service: Service, card: Card
) -> None:
    connection = open_(service, limits=IMPATIENT)
    service.add(B, Card())
    service.readers[A].hung = True
    with pytest.raises(CardGoneError):
        connection.transmit(SELECT)
    connection.reset()
    assert connection.reader == B
    assert connection.transmit(SELECT) == b"\x90\x00"
    connection.close()
    service.unhang(A)


# after an error of transport ----------------------------------------------------------------------


def test_dead_is_dead_until_it_is_made_anew(
    service: Service, connection: PcscConnection, card: Card
) -> None:
    service.pull(A)
    service.insert(A, card)
    with pytest.raises(CardGoneError) as caught:
        connection.transmit(SELECT)
    assert code_of(caught) == "CARD_GONE"
    with pytest.raises(CardGoneError):
        connection.transmit(SELECT)
    assert card.commands == []
    connection.reset()
    assert connection.transmit(SELECT) == b"\x90\x00"


def test_the_way_back_finds_the_reader_under_its_new_name(
    service: Service, connection: PcscConnection
) -> None:
    service.kill()
    with pytest.raises(CardGoneError):
        connection.transmit(SELECT)
    with pytest.raises(CardGoneError) as caught:
        connection.reset()
    assert code_of(caught) == "PCSC_MISSING"
    service.restart("Reader A 02 00")
    connection.reset()
    assert connection.reader == "Reader A 02 00"
    assert connection.transmit(SELECT) == b"\x90\x00"


def test_a_closed_connection_stays_closed(connection: PcscConnection) -> None:
    connection.close()
    for act in (lambda: connection.transmit(SELECT), connection.reset):
        with pytest.raises(CardGoneError):
            act()


def test_a_command_that_the_reader_does_not_know_leaves_the_card_as_it_is(
    connection: PcscConnection,
) -> None:
    with pytest.raises(PresenceError):
        connection.control(0, b"")
    assert connection.control(0x42000D48, b"\x01") == bytes.fromhex("42000D4801")
    assert connection.transmit(SELECT) == b"\x90\x00"


def test_a_card_taken_out_while_the_pin_is_typed_on_the_keypad_is_gone(
    service: Service, connection: PcscConnection
) -> None:
    service.pull(A)
    with pytest.raises(CardGoneError) as caught:
        connection.control(0x42000D48, b"\x01")
    assert code_of(caught) == "CARD_GONE"
    service.insert(A, Card())
    with pytest.raises(CardGoneError):
        connection.transmit(SELECT)


def test_after_a_reset_while_the_pin_is_typed_on_the_keypad_there_is_a_way_back(
    service: Service, connection: PcscConnection
) -> None:
    service.idle()
    service.idle()
    with pytest.raises(CardGoneError) as caught:
        connection.control(0x42000D48, b"\x01")
    assert code_of(caught) == "CARD_RESET_BY_OTHER"
    connection.reset()
    assert connection.transmit(SELECT) == b"\x90\x00"


# while people think -------------------------------------------------------------------------------


def test_a_transaction_is_kept_alive_without_a_command_to_the_card(
    service: Service, card: Card
) -> None:
    connection = open_(service, limits=TimeLimits(keep_alive_s=0.01))
    for _ in range(3):
        service.kept_alive.clear()
        assert service.kept_alive.wait(30)
        service.idle()
    assert connection.transmit(SELECT) == b"\x90\x00"
    assert card.commands == [SELECT]
    connection.close()


def test_without_it_windows_would_reset_the_card(
    service: Service, connection: PcscConnection
) -> None:
    service.idle()
    service.idle()
    with pytest.raises(CardGoneError) as caught:
        connection.transmit(SELECT)
    assert code_of(caught) == "CARD_RESET_BY_OTHER"


def test_a_card_that_went_while_people_think_is_noticed_before_the_next_command(
    service: Service, card: Card
) -> None:
    connection = open_(service, limits=TimeLimits(keep_alive_s=0.01))
    service.pull(A)
    pause = threading.Event()
    for _ in range(500):
        try:
            _ = connection.atr
        except CardGoneError:
            break
        pause.wait(0.01)
    else:
        pytest.fail("nobody noticed")
    connection.close()
