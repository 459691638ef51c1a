"""Every word on the screen is in the catalogue, and a step's keys do something."""

import re
from pathlib import Path

import pytest

from cardlib.text.catalogue import load
from terminal.sale.states import Step
from terminal.ui.steps import UiStep, keys_of
from terminal.ui.till_screen import TillScreen
from terminal.ui.wording import TABLE, Wording

UI = Path(__file__).parents[3] / "terminal" / "ui"
LANGUAGES = ("en", "it")
LABEL = re.compile(r"(?:\bsay|ording)\(\s*\"([a-z_]+)\"")
COUNT = re.compile(r"(?:\bsay|ording)\.count\(\s*\"([a-z_]+)\"")


def labels_in_the_code() -> set[str]:
    """Keys that the screen's modules ask the catalogue for."""
    text = "\n".join(path.read_text("utf-8") for path in UI.rglob("*.py"))
    counted = {f"{key}_{number}" for key in COUNT.findall(text) for number in ("one", "many")}
    titles = {f"{step.value}_{part}" for step in UiStep for part in ("title", "hint")}
    return set(LABEL.findall(text)) | counted | titles


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_label_is_without_words(lang: str) -> None:
    assert labels_in_the_code() - set(load(lang)[TABLE]) == set()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("step", UiStep)
@pytest.mark.parametrize("other_purse", [False, True])
def test_the_keys_of_a_step_fit_into_one_line_and_do_something(
    step: UiStep, lang: str, other_purse: bool
) -> None:
    keys = keys_of(step, Wording(lang), other_purse=other_purse)
    assert sum(len(f" {hint.key}  {hint.does}  ") + 1 for hint in keys) <= 80
    assert all(hasattr(TillScreen, f"action_{hint.action}") for hint in keys)
    assert all(not hint.does.startswith("key_") for hint in keys)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("step", UiStep)
def test_titles_fit_into_one_line(step: UiStep, lang: str) -> None:
    say = Wording(lang)
    for part in ("title", "hint"):
        assert len(say(f"{step.value}_{part}", amount="99999,99 EUR")) <= 78


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_step_of_the_card_has_words(lang: str) -> None:
    assert all(Wording(lang).step(step) != step.value for step in Step)


def test_amounts_in_sentences_speak_the_language() -> None:
    facts: dict[str, str | int] = {"amount": "2.90 EUR", "category": 1}
    assert "2,90 EUR" in Wording("it").explain("BALANCE_TOO_LOW", facts)
    assert "2.90 EUR" in Wording("en").explain("BALANCE_TOO_LOW", facts)
