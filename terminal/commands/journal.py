"""``borsellino terminal journal``: the entries, one of them, whether all are good."""

import json
import sys
from typing import Annotated

import typer

from cardlib.text import catalogue
from cardlib.text.command_line import reported
from cardlib.wire.ids import Seq
from terminal.commands.options import (
    FAILURE,
    Dir,
    Json,
    Lang,
    Openers,
    chosen_directory,
    language_of,
)
from terminal.journal.chain import ChainReport
from terminal.journal_listing import entry_details, entry_line, entry_object


def journal_app(openers: Openers) -> typer.Typer:
    """The sub-commands."""
    app = typer.Typer(help="The till's journal.")

    @app.callback(invoke_without_command=True)
    def journal(
        context: typer.Context, *, directory: Dir = None, as_json: Json = False, lang: Lang = None
    ) -> None:
        """The entries, when no sub-command is named."""
        if context.invoked_subcommand is None:
            list_entries(context, directory=directory, as_json=as_json, lang=lang)

    @app.command("list")
    def list_entries(
        context: typer.Context,
        *,
        directory: Dir = None,
        last: Annotated[int, typer.Option(help="Only so many of the newest entries.")] = 0,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """One line an entry."""
        with reported(lang, as_json=as_json):
            till = openers.load(chosen_directory(context, directory), lang)
            with till.read_journal() as reader:
                found = reader.views.newest(last) if last else list(reader.views.entries())
            if as_json:
                typer.echo(json.dumps({"entries": [entry_object(item) for item in found]}))
                return
            for item in found:
                typer.echo(entry_line(item, language_of(till, lang)))

    @app.command()
    def show(
        context: typer.Context,
        seq: Annotated[int, typer.Argument(help="Number of the entry.")],
        *,
        directory: Dir = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """All fields of one entry, by the keys of the entry format."""
        with reported(lang, as_json=as_json):
            with openers.load(chosen_directory(context, directory), lang).read_journal() as reader:
                stored = reader.views.entry(seq)
            lines = [json.dumps(entry_object(stored))] if as_json else entry_details(stored)
            typer.echo("\n".join(lines))

    @app.command()
    def check(
        context: typer.Context, *, directory: Dir = None, as_json: Json = False, lang: Lang = None
    ) -> None:
        """Whether every entry is numbered, chained, signed and canonical; exit 1 if not."""
        with reported(lang, as_json=as_json):
            till = openers.load(chosen_directory(context, directory), lang)
            with till.read_journal() as reader:
                report = reader.check()
                unsettled = [item.seq for item in reader.views.unsettled()]
            _tell(report, unsettled, language_of(till, lang), as_json=as_json)
        if not report.good:
            sys.exit(FAILURE)

    return app


def _tell(report: ChainReport, unsettled: list[Seq], lang: str, *, as_json: bool) -> None:
    if as_json:
        defects = [{"seq": item.seq, "code": item.code} for item in report.defects]
        shown = {
            "good": report.good, "entries": report.entries, "head": report.head_hash.hex(),
            "unsettled": unsettled, "defects": defects,
        }  # fmt: skip
        typer.echo(json.dumps(shown))
        return
    for item in report.defects:
        typer.echo(catalogue.sentence(item.code, lang, seq=item.seq))
    verdict = "check_good" if report.good else "check_bad"
    facts = {"entries": report.entries, "unsettled": len(unsettled)}
    typer.echo(catalogue.label("journal", verdict, lang, **facts))
