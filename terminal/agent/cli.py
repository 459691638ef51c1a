"""``borsellino sync``: carry the journal to the backend, fetch what is new, enrol, top up."""

from pathlib import Path

import typer

from cardlib.system import SystemClock, SystemRandomness
from terminal.agent.commands import cards, enrolling, synchronising
from terminal.agent.commands.options import Openers, till_passphrase
from terminal.till import Till

app = typer.Typer(
    help="Carry the journal to the backend and fetch what is new.",
    no_args_is_help=True, add_completion=False,
)  # fmt: skip


def _load(directory: Path, lang: str | None) -> Till:
    return Till.load(directory, till_passphrase(lang), SystemClock(), SystemRandomness())


_openers = Openers(_load, SystemClock(), SystemRandomness())
synchronising.add_commands(app, _openers)
enrolling.add_commands(app, _openers)
cards.add_commands(app, _openers)
