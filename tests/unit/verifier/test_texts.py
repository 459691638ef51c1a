"""Every code that an audit can say has its sentence, in both languages, with its facts."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import backend.verifier
from backend.verifier.audit import COUNTS
from backend.verifier.findings import Law
from backend.verifier.report.texts import LANGUAGES, Texts, language_of

SOURCES = sorted(Path(backend.verifier.__file__).parent.rglob("*.py"))
ENVIRONMENT = {"LC_ALL"}
CODE = re.compile(r"[A-Z]+(_[A-Z]+)+|QUARANTINED|SUSPENSE|UNPROVEN")


def spoken() -> set[str]:
    """All constants in the verifier's sources that look like a code."""
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES]
    strings = (
        node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)
    )
    return {
        text for text in strings if isinstance(text, str) and CODE.fullmatch(text)
    } - ENVIRONMENT


def tables(language: str) -> dict[str, dict[str, object]]:
    return Texts(language)._tables


def codes(language: str) -> set[str]:
    return {code for name in ("codes", "trusted", "misuse") for code in tables(language)[name]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence(language: str) -> None:
    known = codes(language)
    assert spoken() - known == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_left_over(language: str) -> None:
    composed = ("ATTESTED_", "ORDER_OF_", "BOOKED_BY_")
    known = codes(language)
    assert {code for code in known - spoken() if not code.startswith(composed)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_laws_counts_and_advice_are_named(language: str) -> None:
    texts = Texts(language)
    for law in Law:
        assert texts.of("laws", str(law.value))
    for count in COUNTS:
        assert texts.of("counts", count)
    for code in tables(language)["codes"]:
        assert texts.do(code)


def test_both_languages_use_the_same_facts() -> None:
    italian, english = tables("it")["codes"], tables("en")["codes"]
    assert italian.keys() == english.keys()
    for code, item in english.items():
        assert isinstance(item, dict)
        other = italian[code]
        assert isinstance(other, dict)
        assert names(item["says"]) == names(other["says"]), code


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize(
    ("wanted", "environment", "language"),
    [
        ("it", {"LANG": "en_GB.UTF-8"}, "it"),
        (None, {"LANG": "it_IT.UTF-8"}, "it"),
        (None, {"LC_ALL": "en_US", "LANG": "it_IT"}, "en"),
        (None, {"LANG": "C"}, "en"),
        ("xx", {}, "en"),
    ],
)
def test_language(wanted: str | None, environment: dict[str, str], language: str) -> None:
    assert language_of(wanted, environment) == language
