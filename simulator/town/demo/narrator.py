"""Tells the story line by line, in the reader's language, and keeps it for ``--json``."""

from dataclasses import dataclass, field

import typer

from cardlib.text import catalogue
from cardlib.wire.money import Money


@dataclass(slots=True)
class Narrator:
    """Speaks ``lang``; ``silent`` keeps the story and prints nothing."""

    lang: str
    silent: bool = False
    told: list[str] = field(default_factory=list)

    def scene(self, key: str, **facts: object) -> None:
        """A heading."""
        self._tell("\n" + self.words(key, **facts))

    def say(self, key: str, **facts: object) -> None:
        """One thing that happened."""
        self._tell("  " + self.words(key, **facts))

    def block(self, text: str) -> None:
        """Something printed: a receipt, a table."""
        for line in text.rstrip("\n").splitlines():
            self._tell("    " + line)

    def words(self, key: str, **facts: object) -> str:
        """The wording of a key of the catalogue's ``[demo]`` table; money in local form."""
        local = {
            name: catalogue.money(value, self.lang) if isinstance(value, Money) else value
            for name, value in facts.items()
        }
        return catalogue.label("demo", key, self.lang, **local)

    def _tell(self, line: str) -> None:
        self.told.append(line)
        if not self.silent:
            typer.echo(line)
