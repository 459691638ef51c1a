"""The card under random and mutated commands, for some seconds, always the same ones."""

import pytest

from simulator.card.masks import MASKS
from tests.cases import as_many
from tests.fuzz import card, module_card
from tests.fuzz.dialogues import recordings
from tests.fuzz.finding import FindingError

SEED, ROUNDS, PARTS = 1, as_many(5000, 1500), 8
MODULE_ROUNDS = 500


@pytest.mark.parametrize("part", range(PARTS))
def test_the_card_answers_everything_and_changes_nothing_without_authority(part: int) -> None:
    assert sum(card.play(SEED, number) for number in range(part, ROUNDS, PARTS)) > ROUNDS


def test_the_module_card_gives_away_neither_keys_nor_quota() -> None:
    assert sum(module_card.play(SEED, number) for number in range(MODULE_ROUNDS)) > MODULE_ROUNDS


def test_every_mask_is_fuzzed_with_dialogues_that_really_write() -> None:
    assert {recording.mask for recording in recordings()} == set(MASKS)
    for recording in recordings():
        assert any(answer[-2:] == b"\x90\x00" for _, answer in recording.talk), str(recording)
        written = [
            answer[-2] for command, answer in recording.talk
            if command[0] in (0x0C, 0x9C) and command[1] != 0xB2
        ]  # fmt: skip
        assert not written or {0x90, 0x61} & set(written), str(recording)


@pytest.mark.parametrize(
    ("place", "name", "broken"),
    [
        ("simulator.card.crypto", "same", lambda *_: True),
        ("simulator.card.session.Session", "take_challenge", lambda session: session.challenge),
    ],
    ids=["a chip that believes any MAC and PIN", "a chip whose challenge is never used up"],
)
def test_a_chip_with_a_hole_is_found_out(
    place: str, name: str, broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings()
    monkeypatch.setattr(f"{place}.{name}", broken)
    with pytest.raises(FindingError):
        play_all()


def play_all() -> None:
    for number in range(ROUNDS):
        card.play(SEED, number)
