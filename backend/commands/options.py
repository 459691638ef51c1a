"""Options and openers that every sub-command of ``borsellino backend`` shares."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from backend.composition import Backend
from backend.config import Settings, read_settings
from backend.services.unit_of_work import Work
from cardlib.ports import Clock

HERE = Path("backend")
DATABASE = "backend.sqlite"
KEY_FILE = "keys.box"
Dir = Annotated[
    Path, typer.Option("--dir", envvar="BORSELLINO_BACKEND", help="The installation's directory.")
]
By = Annotated[str, typer.Option(help="Who does it.")]
ApprovedBy = Annotated[str, typer.Option(help="Who approves it; never the same person.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]
Day = Annotated[str, typer.Option(help="YYYY-MM-DD.")]


@dataclass(frozen=True, slots=True)
class Openers:
    """How commands get at an installation; the composition root in ``backend.cli`` fills it.

    ``books`` opens the database alone, for what needs no key and no passphrase.
    """

    backend: Callable[[Path], AbstractContextManager[Backend]]
    books: Callable[[Path], AbstractContextManager[Work]]
    create: Callable[[Path], AbstractContextManager[Backend]]
    clock: Clock


def settings_in(directory: Path) -> Settings:
    """The settings of an installation; a directory that holds one as ``backend`` will do too."""
    inner = directory / HERE.name
    holds = not _is_installation(directory) and _is_installation(inner)
    return read_settings(inner if holds else directory, os.environ)


def _is_installation(directory: Path) -> bool:
    return any((directory / name).exists() for name in (DATABASE, KEY_FILE))
