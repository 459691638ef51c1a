"""``borsellino backend set-up | migrate | serve | export``: the installation itself."""

from pathlib import Path
from typing import Annotated

import typer

from backend.adapters.engine import open_engine
from backend.adapters.migrate import migrate as bring_up
from backend.commands.answers import say
from backend.commands.options import HERE, Dir, Json, Lang, Openers, settings_in
from backend.errors import BadInputError
from backend.services.export.export import write_export
from cardlib.text.command_line import reported

LOOPBACK = "127.0.0.1"


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""

    @app.command("set-up")
    def set_up(
        operator: Annotated[str, typer.Argument(help="The operator's name.")],
        *,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Makes database and keys, and names the operator."""
        with reported(lang, as_json=as_json), openers.create(directory) as backend:
            key = backend.programmes.set_up(operator)
            say("set_up", lang, as_json=as_json, fingerprint=key.fingerprint)

    @app.command()
    def migrate(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Brings the database to the newest version."""
        with reported(lang, as_json=as_json):
            engine = open_engine(settings_in(directory).database_url)
            try:
                revision = bring_up(engine)
            finally:
                engine.dispose()
            say("migrated", lang, as_json=as_json, revision=revision)

    @app.command()
    def serve(
        *,
        directory: Dir = HERE,
        host: Annotated[str, typer.Option(help="Address to listen on.")] = LOOPBACK,
        port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
        lang: Lang = None,
    ) -> None:
        """Answers terminals until it is told to end."""
        with reported(lang), openers.backend(directory) as backend:
            from backend.commands.service import run  # noqa: PLC0415 - uvicorn is heavy

            run(backend, host, port, lambda url: say("serving", lang, as_json=False, url=url))

    @app.command()
    def export(
        target: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
        *,
        directory: Dir = HERE,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Writes what ``borsellino verify`` reads."""
        with reported(lang, as_json=as_json):
            if target.exists() and any(target.iterdir()):
                raise BadInputError("EXPORT_NOT_EMPTY", path=str(target))
            with openers.books(directory) as work:
                manifest = write_export(work, target, openers.clock.unix_ms() // 1000)
            rows = sum(file["rows"] for file in manifest["files"].values())
            say("exported", lang, as_json=as_json, path=str(target), rows=rows)
