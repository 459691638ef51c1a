"""docs/readers.md tells of each trouble what the till really says."""

import re
from pathlib import Path

from cardlib.text import catalogue
from terminal.ui.shown import TillStatus
from terminal.ui.widgets.status_line import StatusLine
from terminal.ui.wording import Wording

PAGE = Path(__file__).parents[3] / "docs" / "readers.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| ([^|]+) \|", re.MULTILINE)


def test_each_trouble_stands_in_the_status_line_as_the_page_says() -> None:
    line = StatusLine(Wording("en"), "shop", 1, training=False)
    told = dict(ROW.findall(PAGE.read_text("utf-8")))

    assert told == {code: line.card_words(TillStatus(trouble=code)) for code in told}
    assert len(told) == 10


def test_each_trouble_has_its_sentences() -> None:
    for code in dict(ROW.findall(PAGE.read_text("utf-8"))):
        for lang in ("it", "en"):
            assert catalogue.sentence(code, lang)
