"""Volleys: in order, stopped at the first refusal, errors handed to the dialogue."""

import pytest

from cardlib.codec.apdu import Command, Response
from cardlib.dialogues.volley import Dialogue, check_shape, converse, send, send_all
from cardlib.errors import CardAnswerError, CardGoneError, MalformedError

FIRST = Command(0x00, 0xA4, 0x08, 0x0C, b"\x12\x00")
SECOND = Command(0x00, 0xB0, 0x81, 0x00, le=17)
OK = b"\x90\x00"
NOT_FOUND = b"\x6a\x82"


class ScriptedCard:
    """Answers from a list and remembers what it was sent."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self._answers = list(answers)
        self.received: list[bytes] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.received.append(apdu)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def two_at_once() -> Dialogue[bytes]:
    answers = yield from send_all(FIRST, SECOND)
    return answers[-1].data


def test_commands_of_a_volley_are_sent_in_order() -> None:
    card = ScriptedCard(OK, b"info" + OK)

    assert converse(two_at_once(), card.transmit) == b"info"
    assert card.received == [bytes(FIRST), bytes(SECOND)]


def test_nothing_is_sent_after_the_first_refusal() -> None:
    card = ScriptedCard(NOT_FOUND)

    with pytest.raises(CardAnswerError) as caught:
        converse(two_at_once(), card.transmit)

    assert card.received == [bytes(FIRST)]
    assert caught.value.facts == {"status": "6A82", "command": "INS A4"}


def test_send_hands_over_a_refusal_as_an_answer() -> None:
    assert converse(send(FIRST), ScriptedCard(NOT_FOUND).transmit) == Response(b"", 0x6A82)


def test_a_card_taken_away_is_an_error_inside_the_dialogue() -> None:
    def survives() -> Dialogue[str]:
        try:
            yield from send_all(FIRST)
        except CardGoneError:
            return "gone"
        return "there"

    assert converse(survives(), ScriptedCard(CardGoneError()).transmit) == "gone"
    with pytest.raises(CardGoneError):
        converse(two_at_once(), ScriptedCard(OK, CardGoneError()).transmit)


@pytest.mark.parametrize(
    "answers",
    [
        (),
        (Response(b"", 0x9000),),
        (Response(b"", 0x6A82), Response(b"", 0x9000)),
        (Response(b"", 0x9000),) * 3,
    ],
    ids=["none", "one too few", "after a refusal", "one too many"],
)
def test_answers_no_station_could_have_got_are_refused(answers: tuple[Response, ...]) -> None:
    with pytest.raises(MalformedError, match="VOLLEY_SHAPE"):
        check_shape((FIRST, SECOND), answers)
