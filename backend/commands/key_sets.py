"""``borsellino backend key-set``: a new key set for the tills, then for the cards."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from backend.commands.options import HERE, By, Dir, Json, Lang
from backend.composition import Backend
from backend.services.keys.key_sets import KeySetStatus
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported

Issuer = Annotated[str, typer.Argument(help="ISTAT code of the municipality, six digits.")]
Without = Annotated[
    list[int] | None, typer.Option("--without", help="A terminal that need not hold it.")
]


def key_set_app(opened: Callable[[Path], AbstractContextManager[Backend]]) -> typer.Typer:
    """The sub-commands."""
    app = typer.Typer(help="Change the keys of cards in the field.", no_args_is_help=True)

    @app.command()
    def announce(
        issuer: Issuer, *, by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """Makes the next key set; tills fetch it at their next synchronisation."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            number = backend.key_sets.announce(issuer, by)
            _say("key_set_announced", lang, as_json=as_json, number=number)

    @app.command()
    def status(
        issuer: Issuer, *, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """Which tills hold it, and how many cards have changed."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            found = backend.key_sets.status(issuer)
            if as_json:
                typer.echo(json.dumps([asdict(item) for item in found]))
                return
            for item in found:
                typer.echo(_line(item, language(lang)))

    @app.command()
    def begin(
        issuer: Issuer, *, by: By, without: Without = None, directory: Dir = HERE,
        as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Lets the cards change; refused while an active till does not hold the key set."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            number = backend.key_sets.begin(issuer, by, without or ())
            _say("key_set_begun", lang, as_json=as_json, number=number)

    return app


def _line(item: KeySetStatus, lang: str) -> str:
    key = "key_set_state_begun" if item.begun else "key_set_state_announced"
    missing = ", ".join(map(str, item.missing)) or "-"
    return catalogue.label(
        "backend", key, lang, number=item.number, holding=len(item.holding), missing=missing,
        changed=item.purses_changed, waiting=item.purses_waiting,
    )  # fmt: skip


def _say(key: str, lang: str | None, *, as_json: bool, number: int) -> None:
    if as_json:
        typer.echo(json.dumps({"key_set": number}))
    else:
        typer.echo(catalogue.label("backend", key, language(lang), number=number))
