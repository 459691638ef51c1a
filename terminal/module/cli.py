"""``borsellino terminal module``: what the module card has done, may do, and its PIN."""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from cardlib.drivers.card_module import CardModule
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from cardlib.wire.module_order import ModuleState
from cardlib.wire.money import Money
from terminal.commands.options import Dir, chosen_directory
from terminal.errors import TillError
from terminal.passphrase import read_passphrase, read_secret
from terminal.till import Till
from terminal.till_keys import BoundModule
from terminal.till_module import ModuleSlot

module_app = typer.Typer(help="The till's security module, where it is a card.")

Reader = Annotated[str, typer.Option("--module", help="Part of the module reader's name.")]
Image = Annotated[str, typer.Option("--module-card", help="Image of a virtual module card.")]
PinFile = Annotated[Path | None, typer.Option(help="File with the new PIN; else asked.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]


@module_app.command()
def show(
    context: typer.Context,
    *,
    directory: Dir = None,
    reader: Reader = "",
    image: Image = "",
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """How much the module has debited, and how much it still may."""
    with reported(lang, as_json=as_json):
        opened = _opened(chosen_directory(context, directory), ModuleSlot(reader, image), lang)
        _tell(opened, lang, as_json=as_json)


@module_app.command()
def order(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="From backend module-quota.")],
    *,
    directory: Dir = None,
    reader: Reader = "",
    image: Image = "",
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Hands the operator's allowance to the module; the same one twice does no harm."""
    with reported(lang, as_json=as_json):
        opened = _opened(chosen_directory(context, directory), ModuleSlot(reader, image), lang)
        opened.module.obey(_read(path))
        _tell(opened, lang, as_json=as_json)


@module_app.command()
def unblock(
    context: typer.Context,
    *,
    directory: Dir = None,
    puk_file: Annotated[Path | None, typer.Option(help="File with the PUK; else asked.")] = None,
    pin_file: PinFile = None,
    reader: Reader = "",
    image: Image = "",
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Gives a blocked module a new PIN, by its PUK, and keeps it with the till's keys."""
    with reported(lang, as_json=as_json):
        opened = _opened(chosen_directory(context, directory), ModuleSlot(reader, image), lang)
        puk = _secret(puk_file, "puk", lang)
        pin = _secret(pin_file, "new_pin", lang)
        opened.module.unblock(puk, pin)
        opened.keep(pin)
        _tell(opened, lang, as_json=as_json)


@module_app.command("change-pin")
def change_pin(
    context: typer.Context,
    *,
    directory: Dir = None,
    pin_file: PinFile = None,
    reader: Reader = "",
    image: Image = "",
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Gives the module another PIN and keeps it with the till's keys."""
    with reported(lang, as_json=as_json):
        opened = _opened(chosen_directory(context, directory), ModuleSlot(reader, image), lang)
        pin = _secret(pin_file, "new_pin", lang)
        opened.module.change_pin(pin)
        opened.keep(pin)
        _tell(opened, lang, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A till with a module card, and the passphrase that opened it."""

    till: Till
    module: CardModule
    passphrase: str

    def keep(self, pin: str) -> None:
        """The module's new PIN goes to the till's keys."""
        till = self.till
        card = BoundModule(self.module.public_key, pin)
        kept = replace(till.keys, card=card)
        kept.write(till.files.keys, self.passphrase, till.randomness)


def _opened(directory: Path, slot: ModuleSlot, lang: str | None) -> _Opened:
    """TillError ``MODULE_IS_SOFTWARE`` for a till without a card."""
    passphrase = _passphrase(lang)
    till = Till.load(directory, passphrase, SystemClock(), SystemRandomness(), slot or None)
    if not isinstance(till.module, CardModule):
        raise TillError("MODULE_IS_SOFTWARE")
    return _Opened(till, till.module, passphrase)


def _tell(opened: _Opened, lang: str | None, *, as_json: bool) -> None:
    state = ModuleState.open(opened.module.state(), opened.module.public_key)
    if as_json:
        fields = {
            "terminal": state.terminal, "order": state.order, "debits": state.debits,
            "debits_left": state.debits_left, "cents": state.cents,
            "cents_left": state.cents_left, "ceiling": state.ceiling,
        }  # fmt: skip
        typer.echo(json.dumps(fields))
        return
    chosen = catalogue.preferred(os.environ, lang or opened.till.config.language or None)
    facts = {
        "debits": state.debits, "debits_left": state.debits_left,
        "amount": catalogue.money(Money(state.cents), chosen),
        "left": catalogue.money(Money(state.cents_left), chosen),
    }  # fmt: skip
    typer.echo(catalogue.label("module", "used", chosen, **facts))
    if state.ceiling:
        ceiling = catalogue.money(Money(state.ceiling), chosen)
        typer.echo(catalogue.label("module", "ceiling", chosen, amount=ceiling))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TillError("SECRET_UNREADABLE", path=str(path)) from error


def _secret(path: Path | None, question: str, lang: str | None) -> str:
    if path is not None:
        return read_secret(path)
    asked = catalogue.label("module", question, catalogue.preferred(os.environ, lang))
    return str(typer.prompt(asked, hide_input=True))


def _passphrase(lang: str | None) -> str:
    chosen = catalogue.preferred(os.environ, lang)
    return read_passphrase(os.environ, catalogue.label("pay", "passphrase", chosen))
