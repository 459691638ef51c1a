"""Every code that a person can meet has its sentence, in both languages."""

import string
import tomllib

import pytest

from tests.architecture.repository import PACKAGES, ROOT, literals, modules

LANGUAGES = ("en", "it")
CODE = r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+"
# The verifier imports nothing of ours, so it words its findings itself, for others too.
SPEAKS_FOR_ITSELF = ROOT / "backend" / "verifier"
# Upper-case literals that are names of something else.
NO_CODES = {
    "BORSELLINO_BACKEND", "BORSELLINO_DATABASE", "BORSELLINO_PASSPHRASE",
    "BORSELLINO_PASSPHRASE_FILE", "BORSELLINO_TILL", "CLOCK_BOOTTIME", "LC_ALL",
    "LC_MESSAGES", "O_BINARY", "PCSCLITE_CSOCK_NAME",
}  # fmt: skip


def _tables(language: str) -> dict[str, dict[str, str]]:
    text = (ROOT / "cardlib" / "text" / f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _findings(language: str) -> set[str]:
    text = (SPEAKS_FOR_ITSELF / "report" / f"{language}.toml").read_text("utf-8")
    return set(tomllib.loads(text)["codes"])


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_in_the_code_has_a_sentence(language: str) -> None:
    worded = set(_tables(language)["codes"]) | _findings(language)
    wordless = [
        f"{path.relative_to(ROOT)}: {code}"
        for path in modules(*PACKAGES)
        if SPEAKS_FOR_ITSELF not in path.parents
        for code in sorted(literals(path, CODE) - NO_CODES - worded)
    ]
    assert not wordless, "\n".join(wordless)


def test_both_languages_word_the_same_with_the_same_facts() -> None:
    facts = {
        language: {
            (table, key): _placeholders(sentence)
            for table, entries in _tables(language).items()
            for key, sentence in entries.items()
        }
        for language in LANGUAGES
    }
    assert facts["it"] == facts["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_stand_in_alphabetical_order(language: str) -> None:
    codes = list(_tables(language)["codes"])
    assert codes == sorted(codes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_is_a_sentence(language: str) -> None:
    codes = _tables(language)["codes"]
    assert [code for code, text in codes.items() if not text.strip().endswith((".", "?"))] == []
