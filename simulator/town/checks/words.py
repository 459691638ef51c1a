"""Law 10: whatever a refusal is called, both languages have a sentence for it."""

from dataclasses import dataclass, field

from cardlib.text import catalogue
from simulator.town.checks.declared import Declared
from simulator.town.checks.evidence import breach

LANGUAGES = ("it", "en")


def check_worded(code: str, place: str) -> None:
    """TownError ``TOWN_REFUSAL_WORDLESS`` for a code that nobody can explain."""
    for language in LANGUAGES:
        if code not in catalogue.load(language)["codes"]:
            raise breach("TOWN_REFUSAL_WORDLESS", 10, place, f"code {code!r} in {language}")


@dataclass(slots=True)
class WordWatch:
    """Codes that people were told, counted by the town as they come."""

    declared: Declared
    _known: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Those that are new."""
        for told in (self.declared.refused, self.declared.troubles):
            for code in sorted(told.keys() - self._known):
                check_worded(code, "a person was told")
                self._known.add(code)
