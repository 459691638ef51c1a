"""docs/devices.md lists each question of the probe, in its group, and each code."""

import re

from cardlib.dialogues.probe.answers import Needs
from cardlib.dialogues.probe.probing import NEVER_ASKED, catalogue
from tests.architecture.repository import ROOT

PAGE = (ROOT / "docs" / "devices.md").read_text("utf-8")
GROUPS = {
    Needs.CARD: "card", Needs.PURSE: "purse", Needs.NO_MONEY: "no money",
    Needs.TRAINING: "training", Needs.KEYS: "keys",
}  # fmt: skip


def test_the_page_has_every_question_in_its_group() -> None:
    told = re.findall(r"^\| `([a-z0-9_]+)` \| ([a-z ]+) \|", PAGE, re.MULTILINE)
    asked = [(name, GROUPS[needs]) for needs, name, _ in catalogue()]
    assert told == [*asked, *((name, "never") for name in NEVER_ASKED)]
