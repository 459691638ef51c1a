"""``borsellino sim``: make, inspect and plug in virtual cards."""

import json
import os
import signal
import sys
import threading
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from cryptography.hazmat.primitives.serialization import Encoding
from typer.main import get_command

from cardlib.codec.purse import Suite
from cardlib.connection import CardConnection
from cardlib.errors import CardlibError
from cardlib.ports import Randomness
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.trace import Exchange
from cardlib.trace.recording import Recorder
from simulator import description, modules, replay, stock
from simulator.card import image
from simulator.card.filesystem import Memory
from simulator.card.masks import (
    CNS_PIN,
    CNS_PUK,
    CRS_STINCARD,
    GENERIC_T0,
    MASKS,
    TRAINING_TRANSPORT_KEYS,
    is_cns,
    make_card,
    random_transport_keys,
    traits_of,
)
from simulator.card.personal import Holder, fictitious_holder, parse_holder, training_ca_certificate
from simulator.card.randomness import SeededRandomness
from simulator.card.store import FileStore
from simulator.connection import InProcessConnection
from simulator.errors import ImageError, MaskError
from simulator.fault_options import with_faults
from simulator.module_card.card import ModuleCard
from simulator.panel.cli import panel
from simulator.script.cli import play
from simulator.vpcd import DEFAULT_HOST, DEFAULT_PORT, Tracer, VirtualReader, parse_address

app = typer.Typer(help="Make, inspect and plug in virtual cards.", no_args_is_help=True)
app.command("panel")(panel)
app.command("play")(play)
MORE_COMMANDS = "borsellino.sim.commands"
"""Entry points of sub-commands that know more than cards: found by name, loaded when asked for."""

SUITES = {"aes-128": Suite.AES_128, "2tdea": Suite.TDEA_2KEY}
TRAINING_ISSUER = "000000"

Card = Annotated[Path, typer.Argument(help="Image of the card.", metavar="PATH")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_FIRST_LOOK_S = 1.0
"""So long ``serve`` waits for the reader before it says that it waits."""
Lang = Annotated[str | None, typer.Option(help="it or en.")]


def open_image(path: str) -> CardConnection:
    """The card whose image is at ``path``, in this process: ``--card`` of other commands.

    A recorded trace (``*.trace``) answers as the card did then. ImageError or
    MalformedError when there is neither to read.
    """
    if Path(path).suffix == replay.SUFFIX:
        return replay.ReplayConnection.load(Path(path))
    return InProcessConnection(modules.load_card(Path(path), SystemRandomness()))


@app.command("new-card")
def new_card(
    path: Card,
    *,
    mask: Annotated[str, typer.Option(help=f"One of: {', '.join(MASKS)}.")] = CRS_STINCARD,
    suite: Annotated[str, typer.Option(help="aes-128, or 2tdea for legacy chips.")] = "aes-128",
    holder: Annotated[
        str | None, typer.Option(help="SURNAME/NAME/SEX/YYYY-MM-DD/TOWN of nobody real.")
    ] = None,
    issuer: Annotated[
        str | None, typer.Option(help="000000: training stock, with the public transport keys.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same card each time, keys included: for tests.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """A card fresh from the factory, and its stock file beside it."""
    try:
        made, whose = _make(mask, holder, issuer, seed)
        chosen = _suite(suite)
        beside = stock.stock_path(path)
        if path.exists():
            raise ImageError("CARD_IMAGE_EXISTS", path=str(path))
        stock.write_stock(beside, made, chosen, training=issuer is not None)
        try:
            FileStore(path).save(image.encode(made))
        except OSError:
            beside.unlink()
            raise
    except (CardlibError, OSError) as error:
        _fail(error, lang)
    facts = _made(path, beside, made, whose)
    _print(
        facts, [_label(f"made_{key}", lang, value=value) for key, value in facts.items()], as_json
    )


def _make(
    mask: str, holder: str | None, issuer: str | None, seed: int | None
) -> tuple[Memory, Holder]:
    randomness: Randomness = SystemRandomness() if seed is None else SeededRandomness(seed)
    if holder is not None:
        whose = parse_holder(holder)
    else:
        whose = Holder() if seed is None else fictitious_holder(randomness)
    if issuer not in (None, TRAINING_ISSUER):
        raise MaskError("TRAINING_ISSUER_ONLY", issuer=str(issuer))
    keys = TRAINING_TRANSPORT_KEYS if issuer else random_transport_keys(randomness)
    return make_card(mask, randomness, whose, keys), whose


def _suite(name: str) -> Suite:
    try:
        return SUITES[name]
    except KeyError:
        raise MaskError("SUITE_MISSING", suite=name, known=", ".join(SUITES)) from None


def _made(path: Path, beside: Path, made: Memory, whose: Holder) -> dict[str, str]:
    facts = {"image": str(path), "stock": str(beside), "mask": made.mask, "serial": made.serial}
    if made.mask == GENERIC_T0:
        facts["fictitious"] = str(traits_of(made).protocol)
    if not is_cns(made):
        return facts
    # The CNS PIN of a virtual card is the same on all of them: no secret to keep.
    return facts | {
        "holder": f"{whose.surname} {whose.name}",
        "codice_fiscale": whose.codice_fiscale,
        "cns_pin": CNS_PIN,
        "cns_puk": CNS_PUK,
    }


@app.command("new-module")
def new_module(
    path: Card,
    *,
    pin_file: Annotated[
        Path | None, typer.Option(help="File with the PIN; else one is made.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same module each time, keys included: for tests.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """A security module fresh from the factory, and the letter of its PIN beside it."""
    randomness: Randomness = SystemRandomness() if seed is None else SeededRandomness(seed)
    try:
        pin = pin_file.read_text("ascii").strip() if pin_file else ""
        facts = modules.create_module(path, randomness, pin)
    except (CardlibError, OSError) as error:
        _fail(error, lang)
    told = [_label(f"module_made_{key}", lang, value=value) for key, value in facts.items()]
    _print(facts, told, as_json)


@app.command()
def authority(
    path: Annotated[Path, typer.Argument(help="Where the PEM file goes.")], *, lang: Lang = None
) -> None:
    """The certificate authority of the virtual CRS cards, for a backend to trust."""
    try:
        path.write_bytes(training_ca_certificate().public_bytes(Encoding.PEM))
    except OSError as error:
        _fail(error, lang)
    _print({"path": str(path)}, [str(path)], as_json=False)


@app.command()
def show(path: Card, *, as_json: Json = False, lang: Lang = None) -> None:
    """What is on a card: files, tries, purses. Never a key, never a PIN."""
    try:
        card = modules.load_card(path, SystemRandomness())
    except CardlibError as error:
        _fail(error, lang)
    chosen = catalogue.preferred(os.environ, lang)
    if isinstance(card, ModuleCard):
        told = modules.as_lines(card.memory, chosen)
        _print(modules.as_object(card.memory), told, as_json)
        return
    memory = card.memory
    _print(description.as_object(memory), description.as_lines(memory, chosen), as_json)


@app.command()
def serve(
    path: Card,
    *,
    vpcd: Annotated[
        str, typer.Option(help="Where the virtual reader listens.", metavar="HOST:PORT")
    ] = f"{DEFAULT_HOST}:{DEFAULT_PORT}",
    fault: Annotated[
        list[str] | None, typer.Option(help="For example tear-after:DC:1; may be repeated.")
    ] = None,
    trace: Annotated[bool, typer.Option(help="Print each command, PIN masked.")] = False,
    record: Annotated[
        Path | None, typer.Option(help="Keep the trace; card info --card X.trace replays it.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Puts the card into pcscd's virtual reader until interrupted."""
    try:
        card = modules.load_card(path, SystemRandomness())
        faulty = (
            modules.module_without_faults(card, fault or [])
            if isinstance(card, ModuleCard)
            else with_faults(card, fault or [], SystemClock())
        )
        address = parse_address(vpcd)
        tracer = _tracer(trace, record, faulty.connection.atr)
    except (CardlibError, OSError) as error:
        _fail(error, lang)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    where = f"{address[0]}:{address[1]}"
    with VirtualReader(faulty.connection, address, tracer, faulty.reinsert) as reader:
        key = "serving" if reader.connected.wait(_FIRST_LOOK_S) else "serving_later"
        line = _label(key, lang, path=path, address=where)
        _print({"image": str(path), "vpcd": where}, [line], as_json)
        ended.wait()


@app.command(
    "town", add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)  # fmt: skip
def town(context: typer.Context) -> None:
    """A whole town under faults, from one seed: sim town --help."""
    found = typer.Typer(add_completion=False)
    for entry in entry_points(group=MORE_COMMANDS, name="town"):
        found.command()(entry.load())
    get_command(found)(args=context.args, prog_name="borsellino sim town")


def _tracer(trace: bool, record: Path | None, atr: bytes) -> Tracer:  # noqa: FBT001
    recorder = Recorder(record.open("w", encoding="utf-8"), atr) if record else None

    def told(apdu: bytes, answer: bytes | None) -> None:
        exchange = Exchange(apdu, answer)
        if trace:
            print(exchange, file=sys.stderr, flush=True)
        if recorder is not None:
            recorder.exchange(exchange)

    return told


def _label(key: str, lang: str | None, **facts: object) -> str:
    return catalogue.label("sim", key, catalogue.preferred(os.environ, lang), **facts)


def _print(fields: dict[str, Any], lines: list[str], as_json: bool) -> None:  # noqa: FBT001
    print(json.dumps(fields) if as_json else "\n".join(lines), flush=True)


def _fail(error: CardlibError | OSError, lang: str | None) -> NoReturn:
    if isinstance(error, OSError):
        error = ImageError(
            "CARD_IMAGE_UNWRITABLE", path=str(error.filename), why=str(error.strerror)
        )
    sentence = catalogue.explain(error, catalogue.preferred(os.environ, lang))
    print(f"{error.code}: {sentence}", file=sys.stderr)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
