"""``borsellino terminal``: the till on the screen; ``pay`` without one; ``journal``."""

import importlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer

from cardlib.connections import open_connection, watched_readers
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from terminal.commands import day, paying
from terminal.commands.journal import journal_app
from terminal.commands.options import (
    Card,
    Dir,
    Lang,
    Module,
    ModuleCard,
    Openers,
    Reader,
    chosen_directory,
    language_of,
)
from terminal.module.cli import module_app
from terminal.passphrase import read_passphrase
from terminal.till import Till
from terminal.till_module import ModuleSlot

app = typer.Typer(help="The till: sell, settle, look into the journal.", add_completion=False)


@app.callback(invoke_without_command=True)
def screen(
    context: typer.Context,
    *,
    directory: Dir = None,
    reader: Reader = None,
    card: Card = None,
    module: Module = "",
    module_card: ModuleCard = "",
    lang: Lang = None,
) -> None:
    """Opens the till on the screen when no sub-command is named."""
    if context.invoked_subcommand is not None:
        return
    slot, chosen = ModuleSlot(module, module_card), chosen_directory(context, directory)
    with reported(lang, as_json=False), _opened(chosen, slot, lang) as till:
        shown = importlib.import_module("terminal.ui.app")  # Textual only when it is wanted
        besides = (slot or till.config.slot).reader
        with watched_readers(reader=reader, image=card, besides=besides) as watch:
            shown.run(
                till,
                lambda: open_connection(reader=reader, image=card, besides=besides),
                language_of(till, lang),
                watch,
            )


def _passphrase(lang: str | None) -> str:
    chosen = catalogue.preferred(os.environ, lang)
    return read_passphrase(os.environ, catalogue.label("pay", "passphrase", chosen))


def _load(directory: Path, lang: str | None) -> Till:
    return Till.load(directory, _passphrase(lang), SystemClock(), SystemRandomness())


@contextmanager
def _opened(directory: Path, slot: ModuleSlot, lang: str | None) -> Generator[Till]:
    clock, randomness = SystemClock(), SystemRandomness()
    with Till.open(directory, _passphrase(lang), clock, randomness, slot or None) as till:
        yield till


_openers = Openers(_opened, _load)
app.add_typer(journal_app(_openers), name="journal")
app.add_typer(module_app, name="module")
paying.add_command(app, _openers)
day.add_commands(app, _openers)
