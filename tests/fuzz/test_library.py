"""The library before a card that lies, for some seconds, always the same lies."""

import pytest

from cardlib.keys import secure_messaging
from tests.cases import as_many
from tests.fuzz import decoders, library
from tests.fuzz.finding import FindingError

SEED, ROUNDS, PARTS = 1, as_many(8000, 2400), 8
BYTES = 60_000


@pytest.mark.parametrize("part", range(PARTS))
def test_every_answer_of_a_card_gets_a_named_error_or_a_right_result(part: int) -> None:
    in_spite = sum(library.play(SEED, number) for number in range(part, ROUNDS, PARTS))
    assert 0 < in_spite < ROUNDS // PARTS, "lies must sometimes do no harm, and mostly be refused"


def test_every_decoder_gives_a_value_or_a_named_error() -> None:
    values = sum(decoders.play(SEED, number) for number in range(BYTES))
    assert 0 < values < BYTES


def play_all() -> None:
    for number in range(ROUNDS):
        library.play(SEED, number)


@pytest.mark.parametrize(
    ("name", "broken"),
    [("write_confirmed", lambda *_: True), ("compare_digest", lambda *_: True)],
    ids=["a library that believes status words", "a library that checks no MAC"],
)
def test_a_library_with_a_hole_is_found_out(
    name: str, broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.targets()
    monkeypatch.setattr(secure_messaging, name, broken)
    with pytest.raises(FindingError):
        play_all()
