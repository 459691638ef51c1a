"""Everything a till may have to say is worded in both languages, placeholders alike."""

import re
import string
from pathlib import Path

import pytest

from cardlib.text.catalogue import load
from cardlib.wire.entry_header import EntryType
from terminal.sale.states import Step

TERMINAL = Path(__file__).parents[3] / "terminal"
MINE = [path for path in TERMINAL.rglob("*.py") if not {"agent", "ui"} & set(path.parts)]
CODE = re.compile(r'(?:Error|Shortfall|_unresolved|Conclusion)\((?:[\w.]+, )?\s*"([A-Z][A-Z_]+)"')
QUOTED = re.compile(r'"([A-Z]{3,}(?:_[A-Z]+)+)"')
NOT_CODES = {"BORSELLINO_PASSPHRASE_FILE", "BORSELLINO_TILL", "PCSCLITE_CSOCK_NAME"}


def codes_said() -> set[str]:
    text = "".join(path.read_text("utf-8") for path in MINE)
    return (set(CODE.findall(text)) | set(QUOTED.findall(text))) - NOT_CODES


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("code", sorted(codes_said()))
def test_a_code_has_its_sentence_in_both_languages(code: str) -> None:
    assert placeholders(load("it")["codes"][code]) == placeholders(load("en")["codes"][code])


@pytest.mark.parametrize("table", ["receipt", "pay", "journal", "sale_step", "calendar"])
def test_both_languages_have_the_same_labels(table: str) -> None:
    italian, english = load("it")[table], load("en")[table]
    assert set(italian) == set(english)
    for key, wording in italian.items():
        assert placeholders(wording) == placeholders(english[key])


def test_every_step_and_every_kind_of_entry_has_a_name() -> None:
    assert {step.value for step in Step} == set(load("it")["sale_step"])
    assert {kind.name.lower() for kind in EntryType} <= set(load("it")["journal"])
