"""What a command becomes on the wire, and what a card may answer to it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardlib.channel import Channel
from cardlib.codec.apdu import Command, Response
from cardlib.codec.atr import TransmissionProtocol
from cardlib.errors import MalformedError
from cardlib.transport import FOLLOW_UPS_MAX, Transport
from simulator.card.masks import CRS_ATR
from simulator.card.masks.t0 import GENERIC_T0_ATR

T0 = Transport(TransmissionProtocol.T0)
T1 = Transport(TransmissionProtocol.T1)
CASE_1 = Command(0x00, 0x44, 0x00, 0x00)
CASE_2 = Command(0x00, 0xB0, 0x00, 0x00, le=16)
CASE_3 = Command(0x00, 0xD6, 0x00, 0x00, b"\x01\x02")
CASE_4 = Command(0x0C, 0xDC, 0x00, 0x1B, b"\x01\x02", le=256)
EXTENDED = Command(0x00, 0x2A, 0x80, 0x86, bytes(257), le=256)


@dataclass
class Script:
    """A card that says what was written for it, and remembers what it was told."""

    answers: list[str]
    told: list[str] = field(default_factory=list)
    forever: bool = False

    def __call__(self, sent: bytes) -> Response:
        self.told.append(sent.hex().upper())
        answer = self.answers[0] if self.forever else self.answers.pop(0)
        return Response.decode(bytes.fromhex(answer))


@dataclass
class ScriptedConnection:
    """A card of this answer to reset, whose reader says what was negotiated, or nothing."""

    atr: bytes
    answer: Callable[[bytes], bytes] = lambda _apdu: b"\x90\x00"

    def transmit(self, apdu: bytes) -> bytes:
        return self.answer(apdu)

    def reset(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class TellingConnection(ScriptedConnection):
    protocol: int = 1


def code_of(transport: Transport, command: Command, script: Script) -> str:
    with pytest.raises(MalformedError) as caught:
        transport.send(command, script)
    return caught.value.code


@pytest.mark.parametrize(
    ("command", "t0", "t1"),
    [
        (CASE_1, "0044000000", "00440000"),
        (CASE_2, "00B0000010", "00B0000010"),
        (CASE_3, "00D60000020102", "00D60000020102"),
        (CASE_4, "0CDC001B020102", "0CDC001B02010200"),
    ],
)
def test_the_four_cases_on_both_protocols(command: Command, t0: str, t1: str) -> None:
    for transport, expected in ((T0, t0), (T1, t1)):
        card = Script(["9000"])
        assert transport.send(command, card).ok
        assert card.told == [expected]


def test_an_announced_answer_is_fetched_with_its_length() -> None:
    card = Script(["6103", "AABBCC9000"])
    assert T0.send(CASE_4, card) == Response(b"\xaa\xbb\xcc", 0x9000)
    assert card.told[1:] == ["00C0000003"]


def test_6100_announces_256_bytes() -> None:
    card = Script(["6100", "AA" * 256 + "9000"])
    assert len(T0.send(CASE_4, card).data) == 256
    assert card.told[1:] == ["00C0000000"]


def test_an_answer_in_parts_is_put_together_and_ends_with_the_last_status() -> None:
    card = Script(["6102", "AABB6101", "CC6282"])
    assert T0.send(CASE_4, card) == Response(b"\xaa\xbb\xcc", 0x6282)


def test_the_right_length_is_asked_again_of_a_read() -> None:
    card = Script(["6C04", "AABBCCDD9000"])
    assert T0.send(CASE_2, card).data.hex() == "aabbccdd"
    assert card.told == ["00B0000010", "00B0000004"]


def test_get_response_is_repeated_by_itself_when_its_length_was_wrong() -> None:
    card = Script(["6104", "6C02", "AABB9000"])
    assert T0.send(CASE_4, card).data == b"\xaa\xbb"
    assert card.told == ["0CDC001B020102", "00C0000004", "00C0000002"]


@pytest.mark.parametrize("transport", [T0, T1])
def test_a_command_with_data_is_never_sent_twice(transport: Transport) -> None:
    card = Script(["6C10"])
    assert transport.send(CASE_4, card).status == 0x6C10
    assert len(card.told) == 1


@pytest.mark.parametrize(
    ("command", "word"),
    [(CASE_2, "6101"), (CASE_2, "6C01"), (CASE_2, "016101"), (CASE_4, "6101"), (CASE_4, "016101")],
)
def test_an_answer_that_never_ends_has_a_name(command: Command, word: str) -> None:
    card = Script([word], forever=True)
    assert code_of(T0, command, card) == "ANSWER_ENDLESS"
    assert len(card.told) <= FOLLOW_UPS_MAX + 2


@pytest.mark.parametrize(
    ("command", "answers"),
    [
        (CASE_2, ["00" * 17 + "9000"]),
        (CASE_4, ["6103", "AABB9000"]),
        (CASE_4, ["6103", "AABBCCDD9000"]),
        (CASE_4, ["6102", "AABBCC6282"]),
        (CASE_2, ["6C04", "AABBCC9000"]),
        (CASE_2, ["6C04", "9000"]),
        (Command(0, 0xDC, 0, 0x1B, b"\x01", le=14), ["61FF", "00" * 255 + "9000"]),
    ],
)
def test_an_answer_of_another_length_than_announced_has_a_name(
    command: Command, answers: list[str]
) -> None:
    assert code_of(T0, command, Script(answers)) == "ANSWER_LENGTH"


def test_a_short_answer_to_a_read_is_the_dialogues_affair() -> None:
    """A file may end: 6282, or 9000 on some masks, with what there was."""
    assert T1.send(CASE_2, Script(["AABB6282"])).data == b"\xaa\xbb"
    assert T1.send(CASE_2, Script(["AABB9000"])).data == b"\xaa\xbb"


@pytest.mark.parametrize(
    "transport", [T0, T1, Transport(TransmissionProtocol.T0, extended_length=True)]
)
def test_what_the_card_cannot_take_is_named_before_a_byte_is_sent(transport: Transport) -> None:
    card = Script(["9000"])
    assert code_of(transport, EXTENDED, card) == "COMMAND_TOO_LONG"
    assert card.told == []


def test_extended_length_goes_to_a_card_that_says_it_takes_it() -> None:
    card = Script(["9000"])
    Transport(extended_length=True).send(EXTENDED, card)
    assert card.told[0].startswith("002A808600" + "0101")


def test_the_protocol_is_the_cards_unless_the_reader_says_what_was_negotiated() -> None:
    t0, t1 = TransmissionProtocol
    assert Channel(ScriptedConnection(CRS_ATR)).transport.protocol is t1
    assert Channel(ScriptedConnection(GENERIC_T0_ATR)).transport.protocol is t0
    assert Channel(TellingConnection(CRS_ATR, protocol=0)).transport.protocol is t0
    assert Channel(TellingConnection(GENERIC_T0_ATR, protocol=1)).transport.protocol is t1


def test_an_unreadable_atr_is_spoken_to_plainly() -> None:
    plain = Channel(ScriptedConnection(b"\x00" * 9)).transport
    assert (plain.protocol, plain.extended_length) == (TransmissionProtocol.T1, False)
    assert Channel(TellingConnection(b"", protocol=0)).transport.protocol == 0


def test_a_reader_that_names_no_protocol_of_cards_is_not_believed() -> None:
    raw = TellingConnection(GENERIC_T0_ATR, protocol=4)
    assert Channel(raw).transport.protocol is TransmissionProtocol.T0


def test_another_card_after_a_reset_is_asked_anew() -> None:
    connection = ScriptedConnection(CRS_ATR)
    channel = Channel(connection)
    assert channel.transport.protocol == 1
    connection.atr = GENERIC_T0_ATR
    channel.reset()
    assert channel.transport.protocol == 0


STATUS = st.sampled_from([0x9000, 0x6100, 0x6101, 0x61FF, 0x6C00, 0x6C05, 0x6282, 0x6985])
ANSWERS = st.lists(st.tuples(st.binary(max_size=300), STATUS), min_size=1, max_size=12)


@given(ANSWERS, st.sampled_from([CASE_1, CASE_2, CASE_3, CASE_4]), st.sampled_from([T0, T1]))
def test_whatever_a_card_answers_ends_in_an_answer_or_a_named_error(
    answers: list[tuple[bytes, int]], command: Command, transport: Transport
) -> None:
    said: list[bytes] = []

    def card(sent: bytes) -> Response:
        said.append(sent)
        return Response(*answers[(len(said) - 1) % len(answers)])

    try:
        response = transport.send(command, card)
    except MalformedError as error:
        if error.code not in ("ANSWER_ENDLESS", "ANSWER_LENGTH"):
            raise
    else:
        assert response.status >> 8 != 0x61
    assert len(said) <= FOLLOW_UPS_MAX + 2
    assert sum(sent[4:].endswith(b"\x01\x02") for sent in said if len(sent) > 5) <= 1
