"""Options and openers that every sub-command of ``borsellino terminal`` shares."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cardlib.text import catalogue
from terminal.till import Till
from terminal.till_module import ModuleSlot

FAILURE = 1
Dir = Annotated[
    Path | None,
    typer.Option("--dir", envvar="BORSELLINO_TILL", help="The till's directory; else ./till."),
]
Reader = Annotated[str | None, typer.Option(help="The reader's name or a part; * and ? stand in.")]
Card = Annotated[str | None, typer.Option(help="Image of a virtual card, instead of a reader.")]
Module = Annotated[
    str, typer.Option("--module", help="Part of the name of the reader with the module card.")
]
ModuleCard = Annotated[str, typer.Option(help="Image of a virtual module card instead.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]
HERE = Path("till")


@dataclass(frozen=True, slots=True)
class Openers:
    """How commands get at a till in a directory; ``terminal.cli`` fills it.

    ``opened``: to sell, its module where the slot says; ``load``: to look into it.
    """

    opened: Callable[[Path, ModuleSlot, str | None], AbstractContextManager[Till]]
    load: Callable[[Path, str | None], Till]


def chosen_directory(context: typer.Context, directory: Path | None) -> Path:
    """``--dir`` may stand before or after the sub-command; the innermost one counts."""
    above = context.parent
    while directory is None and above is not None:
        directory, above = above.params.get("directory"), above.parent
    return directory or HERE


def language_of(till: Till, lang: str | None) -> str:
    """``--lang``, else the till's own, else the system's."""
    return catalogue.preferred(os.environ, lang or till.config.language or None)
