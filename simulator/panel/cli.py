"""``borsellino sim panel``: opens slots, then the screen."""

import importlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from simulator.card_keys import CardKeys, read_debit_masters
from simulator.private_pcscd import DRIVER, SLOTS, PrivatePcscd
from simulator.shelf import Shelf
from simulator.slot import Address, Slot
from simulator.vpcd import DEFAULT_HOST, DEFAULT_PORT


class Slots(StrEnum):
    """Where the slots are."""

    PRIVATE = "private"
    """In virtual readers of a pcscd that the panel starts for itself."""
    MACHINE = "machine"
    """In the virtual readers of the machine's pcscd."""
    NONE = "none"
    """In this process only."""


def panel(
    folder: Annotated[Path, typer.Argument(help="Folder of card images.", metavar="DIR")] = Path(),
    *,
    slots: Annotated[
        Slots | None, typer.Option(help="Default: private where vpcd is installed, else none.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help='JSON with debit masters, {"debit": ["…"]}.')
    ] = None,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Cards, slots, one-key faults and the decoded trace on one screen."""
    chosen = catalogue.preferred(os.environ, lang)
    with reported(lang):
        card_keys = CardKeys(read_debit_masters(keys) if keys else ())
        kind = slots or (Slots.PRIVATE if DRIVER.exists() else Slots.NONE)
        with _slots(kind, card_keys, chosen) as (places, where):
            shown = importlib.import_module("simulator.panel.app")  # Textual only when wanted
            shown.run(Shelf(folder, SystemRandomness()), places, card_keys, chosen, where)


@contextmanager
def _slots(kind: Slots, card_keys: CardKeys, lang: str) -> Generator[tuple[tuple[Slot, ...], str]]:
    if kind is not Slots.PRIVATE:
        port = DEFAULT_PORT if kind is Slots.MACHINE else None
        yield _made(port, card_keys), _where(kind, lang, addresses=_addresses(port))
        return
    with (
        tempfile.TemporaryDirectory(prefix="pcscd") as short,
        PrivatePcscd(Path(short), SystemClock()) as daemon,
    ):
        told = " ".join(f"{name}={value}" for name, value in daemon.environment.items())
        yield _made(daemon.port, card_keys), _where(kind, lang, environment=told)


def _made(port: int | None, card_keys: CardKeys) -> tuple[Slot, ...]:
    clock = SystemClock()
    return tuple(
        Slot(number + 1, clock, address=_address(port, number), keys=card_keys)
        for number in range(SLOTS)
    )


def _address(port: int | None, number: int) -> Address | None:
    return None if port is None else (DEFAULT_HOST, port + number)


def _addresses(port: int | None) -> str:
    shown = (_address(port, number) for number in range(SLOTS))
    return ", ".join(f"{item[0]}:{item[1]}" for item in shown if item is not None)


def _where(kind: Slots, lang: str, **facts: str) -> str:
    key = {Slots.PRIVATE: "at_private", Slots.MACHINE: "at_vpcd", Slots.NONE: "in_process"}[kind]
    return catalogue.label("panel", key, lang, **facts)
