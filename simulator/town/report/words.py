"""The reader's words: labels of the catalogue, money, days and waiting times."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cardlib.calendar import local_time
from cardlib.text import catalogue
from simulator.town.plan.model import DESK, Happening, Person

_FACT = re.compile(r"\{[a-z_]+\}")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks ``lang``; ``shops`` and ``people`` are names by key."""

    lang: str
    shops: Mapping[str, str]
    people: Mapping[str, str]

    @classmethod
    def of(cls, lang: str, shops: Mapping[str, str], people: Mapping[str, Person]) -> "Words":
        """With the names of a town's people."""
        return cls(lang, shops, {key: full_name(person) for key, person in people.items()})

    def label(self, key: str, **facts: object) -> str:
        """A label of the picture or the report."""
        return catalogue.label("town_report", key, self.lang, **facts)

    def of_table(self, table: str, key: str, **facts: object) -> str:
        """A label of any other table."""
        return catalogue.label(table, key, self.lang, **facts)

    def money(self, cents: int) -> str:
        """``1.234,50 EUR`` in Italian, ``1,234.50 EUR`` in English."""
        euro, rest = divmod(abs(cents), 100)
        text = f"{'-' if cents < 0 else ''}{euro:,}.{rest:02} EUR"
        return text.translate(str.maketrans(",.", ".,")) if self.lang == "it" else text

    def number(self, number: int) -> str:
        """With separators of thousands."""
        text = f"{number:,}"
        return text.replace(",", ".") if self.lang == "it" else text

    def day(self, day: date) -> str:
        """``Thu 01/10``."""
        name = catalogue.label("calendar", f"weekday_{day.isoweekday()}", self.lang)
        return f"{name[:3]} {day:%d/%m}"

    def moment(self, at_ms: int) -> str:
        """``Thu 01/10 17:05``, in local time."""
        local = local_time(at_ms // 1000)
        return f"{self.day(local.date())} {local:%H:%M}"

    def clock(self, at_ms: int) -> str:
        """``17:05``."""
        return f"{local_time(at_ms // 1000):%H:%M}"

    def waited(self, seconds: int) -> str:
        """``2 d 3 h``, ``4 h 10 min`` or ``35 s``."""
        if seconds < _MINUTE:
            return self.label("for_seconds", seconds=seconds)
        if seconds < _HOUR:
            return self.label("for_minutes", minutes=seconds // _MINUTE)
        if seconds < _DAY:
            hours, rest = divmod(seconds, _HOUR)
            return self.label("for_hours", hours=hours, minutes=rest // _MINUTE)
        days, rest = divmod(seconds, _DAY)
        return self.label("for_days", days=days, hours=rest // _HOUR)

    def shop(self, key: str) -> str:
        """A shop's name; the town hall's desk has none in the plan."""
        return self.label("desk") if key in ("", DESK) else self.shops.get(key, key)

    def fault(self, kind: str) -> str:
        """A kind of fault in plain words."""
        return self.of_table("town_fault", kind)

    def meaning(self, code: str) -> str:
        """The sentence of a code, with dots for its facts; empty where it has none."""
        sentence = self.of_table("codes", code)
        return "" if sentence == code else _FACT.sub("…", sentence)

    def breach(self, failure: Mapping[str, Any]) -> tuple[str, str]:
        """Code and sentence of what a town ended with; the error's own words where it has none."""
        facts = {name: value for name, value in failure.items() if name not in ("code", "lang")}
        code = str(failure["code"])
        sentence = self.of_table("codes", code, **facts)
        return code, str(failure.get("what", "")) if sentence == code else sentence

    def happening(self, item: Happening) -> str:
        """A happening in plain words, with names for keys."""
        cents = item.cents or sum(amount for _, amount in item.basket)
        return self.of_table(
            "town_happening", item.kind, person=self.people.get(item.person, item.person),
            shop=self.shop(item.shop), till=item.till + 1 if item.shop else "",
            seconds=item.seconds, amount=self.money(cents),
        ).strip()  # fmt: skip


def full_name(person: Person) -> str:
    """``Maria Rossi``."""
    return f"{person.holder.name} {person.holder.surname}".title()
