"""Looks up the sentence of a code or the wording of a label, in the reader's language.

Files: ``it.toml`` and ``en.toml`` beside this module. ``[codes]`` holds one
sentence a stable code (what happened, what to do); other tables hold labels of
screens and reports. Placeholders are ``{name}`` and take the error's facts.
A further language is one more file.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from cardlib.errors import CodedError
from cardlib.wire.money import Money

FALLBACK = "en"


class _Known(dict[str, object]):
    """Keeps a placeholder readable when its fact is missing."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def languages() -> list[str]:
    """Codes of the languages there is a file for."""
    names = (entry.name for entry in files(__package__).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def load(lang: str) -> Mapping[str, Mapping[str, str]]:
    """The tables of one language; the fallback's when there is no such file."""
    chosen = lang if lang in languages() else FALLBACK
    tables: dict[str, dict[str, str]] = tomllib.loads(
        files(__package__).joinpath(f"{chosen}.toml").read_text("utf-8")
    )
    return tables


def preferred(environment: Mapping[str, str], asked: str | None = None) -> str:
    """The language asked for, else that of LC_ALL, LC_MESSAGES or LANG, else English."""
    settings = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    wanted = asked or next((value for value in settings if value), FALLBACK)
    code = wanted[:2].lower()
    return code if code in languages() else FALLBACK


def label(table: str, key: str, lang: str, **facts: object) -> str:
    """A label of a screen or report; the key itself when nobody has worded it."""
    wording = load(lang).get(table, {}).get(key) or load(FALLBACK).get(table, {}).get(key, key)
    return wording.format_map(_Known(facts))


def sentence(code: str, lang: str, **facts: object) -> str:
    """What happened and what to do, for a stable code."""
    return label("codes", code, lang, **facts)


def explain(error: CodedError, lang: str) -> str:
    """The sentence of an error, with its facts filled in."""
    return sentence(error.code, lang, **error.facts)


def money(amount: Money, lang: str) -> str:
    """``12,50 EUR`` in Italian, ``12.50 EUR`` in English."""
    text = str(amount)
    return text.replace(".", ",") if lang == "it" else text
