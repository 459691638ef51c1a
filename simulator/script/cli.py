"""``borsellino sim play SCRIPT``: a script of faults and people, against cards in slots."""

from pathlib import Path
from typing import Annotated

import typer

from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.trace import wording as trace_words
from simulator.card_keys import CardKeys, read_debit_masters
from simulator.errors import ImageError
from simulator.script.grammar import parse
from simulator.script.player import Player
from simulator.shelf import Shelf
from simulator.slot import Address, Slot, SlotEvent, Spoken
from simulator.vpcd import parse_address


def play(
    script: Annotated[Path, typer.Argument(help="The script; docs/simulator.md has the words.")],
    *,
    cards: Annotated[Path, typer.Option(help="Folder of card images.")] = Path(),
    vpcd: Annotated[
        list[str] | None,
        typer.Option(help="Address of slot 1, again for slot 2; without it: in this process."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help='JSON with debit masters, {"debit": ["…"]}.')
    ] = None,
    trace: Annotated[bool, typer.Option(help="Print each command, decoded.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Plays a script of faults and people; exit 1 at the first line that does not come true."""
    chosen = language(lang)

    def watch(event: SlotEvent) -> None:
        if trace and isinstance(event, Spoken):
            typer.echo(f"{event.slot} {trace_words.short(event.decoded, chosen)}", err=True)

    with reported(lang):
        steps = parse(_lines(script))
        card_keys = CardKeys(read_debit_masters(keys) if keys else ())
        clock = SystemClock()
        addresses: list[Address | None] = [parse_address(text) for text in vpcd or []]
        slots = [
            Slot(number, clock, address=address, keys=card_keys, watcher=watch)
            for number, address in enumerate(addresses or [None, None], 1)
        ]
        player = Player(Shelf(cards, SystemRandomness()), slots, clock, card_keys, typer.echo)
        try:
            player.play(steps)
        finally:
            for slot in slots:
                slot.remove()
        typer.echo(catalogue.label("sim", "played", chosen, count=len(steps)))


def _lines(script: Path) -> list[str]:
    try:
        return script.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ImageError("SCRIPT_UNREADABLE", path=str(script)) from error
