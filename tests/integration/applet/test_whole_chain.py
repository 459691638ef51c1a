"""The whole chain of the money on applet cards: personalised, loaded, sold, proven, audited."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cardlib.codec.files import KeyId
from simulator.card import image
from simulator.card.masks import WHITE_APPLET
from simulator.town.demo import story
from simulator.town.demo.people import MARIA, PAOLO
from tests.integration.demo.conftest import demo_in

DEBIT = 0x54
"""The commit of an applet card: where the story pulls the card out."""


def test_a_town_of_applet_cards_balances_to_the_cent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, person in (("MARIA", MARIA), ("PAOLO", PAOLO)):
        monkeypatch.setattr(story, name, replace(person, mask=WHITE_APPLET))
    monkeypatch.setattr(story, "INS_UPDATE_RECORD", DEBIT)
    demo = demo_in(tmp_path / "town")

    report = demo.play(pcsc=False)

    assert report.holds
    for person in (MARIA, PAOLO):
        path = tmp_path / "town" / "cards" / f"{person.key}.json"
        told = json.loads(path.with_name(path.name + ".stock.json").read_text("ascii"))
        assert told["kind"] == WHITE_APPLET
        purse = image.decode(path.read_bytes()).find((0x1200, 0xB001))
        assert purse is not None
        assert sorted(purse.keys) == list(range(KeyId.RECORD, KeyId.ADMIN_ENCIPHER + 1))
