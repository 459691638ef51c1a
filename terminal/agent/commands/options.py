"""Options and openers that every sub-command of ``borsellino sync`` shares."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cardlib.ports import Clock, Randomness
from cardlib.text import catalogue
from terminal.agent.uplink import Uplink
from terminal.passphrase import read_passphrase
from terminal.till import Till

FAILURE = 1
Dir = Annotated[Path, typer.Option("--dir", envvar="BORSELLINO_TILL", help="The till's directory.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]
Reader = Annotated[str | None, typer.Option(help="The reader's name or a part; * and ? stand in.")]
Card = Annotated[str | None, typer.Option(help="Image of a virtual card, instead of a reader.")]
HERE = Path("till")


@dataclass(frozen=True, slots=True)
class Openers:
    """How commands get at a till; ``terminal.agent.cli`` fills it.

    ``load``: the till in a directory, its passphrase asked for in a language.
    """

    load: Callable[[Path, str | None], Till]
    clock: Clock
    randomness: Randomness


def uplink_of(till: Till) -> Uplink:
    """To the service that the till is enrolled with."""
    return Uplink(till.config.backend_url, till.module, till.operator, till.clock, till.randomness)


def till_passphrase(lang: str | None) -> str:
    """The till's, from the environment or asked."""
    chosen = catalogue.preferred(os.environ, lang)
    return read_passphrase(os.environ, catalogue.label("pay", "passphrase", chosen))


def language_of(till: Till, lang: str | None) -> str:
    """``--lang``, else the till's own, else the system's."""
    return catalogue.preferred(os.environ, lang or till.config.language or None)
