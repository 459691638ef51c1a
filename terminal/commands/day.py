"""``borsellino terminal totals | close | statement``: X, Z, and what the operator says of it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cardlib.text import catalogue
from cardlib.text.command_line import reported
from terminal.commands.options import (
    FAILURE,
    Dir,
    Json,
    Lang,
    Module,
    ModuleCard,
    Openers,
    chosen_directory,
    language_of,
)
from terminal.day_close import as_object, close_day, render, totals
from terminal.statement_check import Checked, check_statement
from terminal.till_module import ModuleSlot


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""

    @app.command("totals")
    def show_totals(
        context: typer.Context, *, directory: Dir = None, as_json: Json = False, lang: Lang = None
    ) -> None:
        """What was sold since the last close; closes nothing (X)."""
        with reported(lang, as_json=as_json):
            till = openers.load(chosen_directory(context, directory), lang)
            with till.read_journal() as reader:
                found = totals(till, reader)
            told = render(found, till, language_of(till, lang))
            typer.echo(json.dumps(as_object(found)) if as_json else told, nl=as_json)

    @app.command()
    def close(
        context: typer.Context,
        *,
        directory: Dir = None,
        module: Module = "",
        module_card: ModuleCard = "",
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Closes the day with a signed entry and prints its slip (Z)."""
        chosen, slot = chosen_directory(context, directory), ModuleSlot(module, module_card)
        with reported(lang, as_json=as_json), openers.opened(chosen, slot, lang) as till:
            entry, found = close_day(till)
            told = render(found, till, language_of(till, lang), entry)
            typer.echo(json.dumps(as_object(found, entry)) if as_json else told, nl=as_json)

    @app.command()
    def statement(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="The statement that the municipality gave.")],
        *,
        directory: Dir = None,
        as_json: Json = False,
        lang: Lang = None,
    ) -> None:
        """Compares a statement with this till's journal; exit 1 if something is not as it was."""
        with reported(lang, as_json=as_json):
            till = openers.load(chosen_directory(context, directory), lang)
            with till.read_journal() as reader:
                checked = check_statement(till, reader, file)
            _tell(checked, language_of(till, lang), as_json=as_json)
        if checked.faults:
            sys.exit(FAILURE)


def _tell(checked: Checked, lang: str, *, as_json: bool) -> None:
    head = checked.statement.ledger
    if as_json:
        faults = [{"seq": item.seq, "code": item.code} for item in checked.faults]
        shown = {
            "good": not checked.faults, "own": checked.own, "others": checked.others,
            "included": checked.included, "faults": faults,
            "ledger_head": {"transfer": head.transfer, "hash": head.hash.hex()},
        }  # fmt: skip
        typer.echo(json.dumps(shown))
        return
    for item in checked.faults:
        typer.echo(catalogue.sentence(item.code, lang, seq=item.seq))
    verdict = "statement_bad" if checked.faults else "statement_good"
    facts = {"own": checked.own, "others": checked.others, "included": checked.included}
    typer.echo(catalogue.label("day", verdict, lang, **facts))
    typer.echo(f"{catalogue.label('day', 'ledger', lang)} {head.words}")
