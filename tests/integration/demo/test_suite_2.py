"""The whole chain of the money on legacy chips: personalised, loaded, sold, proven, audited."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cardlib.codec.purse import Info, Suite
from simulator.card import image
from simulator.town.demo import story
from simulator.town.demo.people import MARIA, PAOLO
from tests.integration.demo.conftest import demo_in


def test_a_town_on_two_key_tdea_balances_to_the_cent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, person in (("MARIA", MARIA), ("PAOLO", PAOLO)):
        monkeypatch.setattr(story, name, replace(person, suite=Suite.TDEA_2KEY))
    demo = demo_in(tmp_path / "town")

    report = demo.play(pcsc=False)

    assert report.holds
    for person in (MARIA, PAOLO):
        card = tmp_path / "town" / "cards" / f"{person.key}.json"
        told = json.loads(card.with_name(card.name + ".stock.json").read_text("ascii"))
        assert told["suite"] == Suite.TDEA_2KEY
        purse = image.decode(card.read_bytes()).find((0x1200, 0xB001))
        file = purse.file_by_sfi(1) if purse else None
        assert file is not None
        assert Info.decode(file.content).suite == Suite.TDEA_2KEY
