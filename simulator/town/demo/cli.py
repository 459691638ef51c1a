"""``borsellino demo``: a small town in one go, on the embedded default."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cardlib.errors import CardlibError
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from simulator.town.demo.narrator import Narrator
from simulator.town.demo.play import Demo, as_json


def demo(
    *,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where everything is kept; else a new folder.")
    ] = None,
    pcsc: Annotated[
        bool, typer.Option("--pcsc", help="Through the real pcscd and its virtual reader.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only export and audit again what --dir keeps.")
    ] = False,
    as_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Loads two cards, sells with and without network, tears one, syncs, pays, audits."""
    chosen = catalogue.preferred(os.environ, lang)
    if check and directory is None:
        raise typer.BadParameter(catalogue.label("demo", "check_needs_dir", chosen))
    folder = directory or Path(tempfile.mkdtemp(prefix="borsellino-demo-"))
    narrator = Narrator(chosen, silent=as_object)
    play = Demo(folder, SystemClock(), SystemRandomness(), narrator)
    try:
        found = play.check() if check else play.play(pcsc=pcsc)
    except CardlibError as error:
        typer.echo(f"{error.code}: {catalogue.explain(error, chosen)}", err=True)
        sys.exit(1)
    if as_object:
        typer.echo(json.dumps(as_json(found, folder, narrator.told), ensure_ascii=False))
    sys.exit(0 if found.holds else 1)
