"""The verifier's own sentences: ``it.toml`` and ``en.toml`` beside this module."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

LANGUAGES = ("it", "en")
FALLBACK = "en"
_COMMA = str.maketrans(",.", ".,")


class Texts:
    """Sentences of one language."""

    def __init__(self, language: str) -> None:
        name = language if language in LANGUAGES else FALLBACK
        self._italian = name == "it"
        source = files("backend.verifier.report").joinpath(f"{name}.toml")
        self._tables: dict[str, dict[str, Any]] = tomllib.loads(source.read_text("utf-8"))

    def word(self, name: str, **facts: str | int) -> str:
        """A word or line of the report's frame."""
        return str(self._tables["words"][name]).format(**facts)

    def of(self, table: str, name: str) -> str:
        """The name of a law, a verdict, a count or something trusted."""
        return str(self._tables[table][name])

    def money(self, cents: int) -> str:
        """An amount without its currency: ``1.234,50``, in English ``1,234.50``."""
        shown = f"{cents / 100:,.2f}"
        return shown.translate(_COMMA) if self._italian else shown

    def misuse(self, code: str, about: str) -> str:
        """Why there is nothing to audit."""
        return str(self._tables["misuse"][code]).format(about=about)

    def says(self, code: str, facts: Mapping[str, str | int]) -> str:
        """What a finding means."""
        return str(self._tables["codes"][code]["says"]).format(**facts)

    def do(self, code: str) -> str:
        """What to do about a finding."""
        return str(self._tables["do"][self._tables["codes"][code]["do"]])


def language_of(wanted: str | None, environment: Mapping[str, str]) -> str:
    """``--lang``, else what LC_ALL or LANG start with, else English."""
    value = wanted or environment.get("LC_ALL") or environment.get("LANG") or FALLBACK
    return value[:2].lower() if value[:2].lower() in LANGUAGES else FALLBACK
