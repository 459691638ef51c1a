"""``borsellino backend recovery``: an older copy of the database was put back."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from backend.commands.answers import say
from backend.commands.options import HERE, ApprovedBy, By, Dir, Json, Lang
from backend.composition import Backend
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported

Act = Annotated[str, typer.Option(help="The act that records it.")]
Without = Annotated[
    list[int] | None, typer.Option("--without", help="A terminal that will not come back.")
]
CertificateFile = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, help="The till's certificate.cose.")
]


def recovery_app(opened: Callable[[Path], AbstractContextManager[Backend]]) -> typer.Typer:
    """The sub-commands."""
    app = typer.Typer(help="After a copy of the database was put back.", no_args_is_help=True)

    @app.command()
    def begin(*, by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Says so, before the service is started: loads and payments wait from now on."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            number = backend.recovery.begin(by)
            say("recovery_begun", lang, as_json=as_json, number=number)

    @app.command()
    def status(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Which tills have not sent everything again yet."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            waiting = backend.recovery.waiting()
            if as_json:
                typer.echo(json.dumps({"waiting": waiting}))
                return
            listed = ", ".join(map(str, waiting)) or "-"
            typer.echo(catalogue.label("backend", "recovery_waits", language(lang), tills=listed))

    @app.command()
    def readmit(
        certificate: CertificateFile,
        *, by: By, approved_by: ApprovedBy, act: Act,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Two people take a till back that was enrolled after the copy, by its certificate."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            number = backend.recovery.readmit(
                certificate.read_bytes(), act=act, requested_by=by, approved_by=approved_by
            )
            say("recovery_readmitted", lang, as_json=as_json, number=number)

    @app.command()
    def end(
        *, by: By, approved_by: ApprovedBy, act: Act, without: Without = None,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Loads and payments go on; first compare what was paid with the bank's statements."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            backend.recovery.end(
                requested_by=by, approved_by=approved_by, act=act, without=without or ()
            )
            say("recovery_ended", lang, as_json=as_json)

    return app
