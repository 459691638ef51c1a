"""``borsellino sync``: carry the journal to the backend, fetch what is new, enrol, top up."""

import json
import os
import signal
import sys
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cardlib.calendar import local_time
from cardlib.channel import Channel
from cardlib.codec.pin import Pin
from cardlib.connections import open_connection
from cardlib.system import SystemClock, SystemRandomness
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from cardlib.wire.card_session import SessionCommands, SessionOpening
from cardlib.wire.money import Money
from terminal.agent import enrolment
from terminal.agent.card_session import PinAsker, no_pin, run_session
from terminal.agent.loop import Agent, AgentLock, RoundReport
from terminal.agent.status import SyncStatus, look
from terminal.agent.uplink import Uplink
from terminal.passphrase import read_passphrase, read_secret
from terminal.till import Till
from terminal.till_files import TillConfig

app = typer.Typer(
    help="Carry the journal to the backend and fetch what is new.",
    no_args_is_help=True, add_completion=False,
)  # fmt: skip

FAILURE = 1
LOAD, PERSONALISE, PURSE_MADE = "load", "personalise", "PURSE_MADE"
RENEW, PIN, PIN_RESET = "renew", "pin", "PIN_RESET"
RENEWED = frozenset({"KEY_SET_CHANGED", "KEY_SET_CURRENT"})
"""Ends of a renewal after which the card is of the newest key set."""
LOADED = frozenset(
    {"LOAD_DONE", "LOAD_AGAIN", "LOAD_TIDIED", "LOAD_VOIDED", "LOAD_NOTHING_WAITING"}
)
"""Ends of a load session after which the card is as it should be."""
Dir = Annotated[Path, typer.Option("--dir", envvar="BORSELLINO_TILL", help="The till's directory.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Lang = Annotated[str | None, typer.Option(help="it or en.")]
Reader = Annotated[str | None, typer.Option(help="The reader's name or a part; * and ? stand in.")]
Card = Annotated[str | None, typer.Option(help="Image of a virtual card, instead of a reader.")]
HERE = Path("till")


@app.command()
def once(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
    """Carries everything that waits, writes a heartbeat, fetches the bundle; exit 1 if not all."""
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        with AgentLock(till), _uplink(till) as uplink:
            report = _agent(till, uplink).round(beat_due=True)
        _tell(report, _language(till, lang), as_json=as_json)
    if report.problem:
        sys.exit(FAILURE)


@app.command()
def run(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
    """Synchronises until it is stopped; with --json one object a round."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        language = _language(till, lang)
        last: list[RoundReport] = []

        def told(report: RoundReport) -> None:
            last[:] = [report]
            _tell(report, language, as_json=as_json)

        with AgentLock(till), _uplink(till) as uplink:
            try:
                _agent(till, uplink).run(told, lambda: bool(stopped))
            except KeyboardInterrupt:
                return
    if last and last[0].final:
        sys.exit(FAILURE)


@app.command()
def status(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
    """How many sales are still here, and since when the service has not answered."""
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        found = look(till)
        if as_json:
            typer.echo(json.dumps(_status_object(found)))
            return
        for line in _status_lines(found, _language(till, lang)):
            typer.echo(line)


@app.command()
def keys(
    *,
    url: Annotated[str, typer.Option(help="Address of the service.")],
    directory: Dir = HERE,
    cashier: Annotated[str, typer.Option(help="A number given by the shop, never a name.")] = "",
    module: Annotated[
        str, typer.Option(help="The keys are on a module card: part of its reader's name.")
    ] = "",
    module_card: Annotated[str, typer.Option(help="Image of a virtual module card instead.")] = "",
    module_pin_file: Annotated[
        Path | None, typer.Option(help="File with the module's PIN; else asked.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """First step of the enrolment: makes the till's keys and prints their fingerprint.

    With a module card they are there already, and only bound to the till.
    """
    with reported(lang, as_json=as_json):
        config = TillConfig(
            url, lang or "", cashier, module_reader=module, module_image=module_card
        )
        pin = _module_pin(module_pin_file, lang) if config.slot else ""
        public = enrolment.prepare_keys(
            directory, _passphrase(lang), config, SystemRandomness(), pin
        )
        _say("fingerprint_own", lang, as_json=as_json, fingerprint=public.fingerprint)


@app.command()
def enrol(
    *,
    code: Annotated[str, typer.Option(help="The one-time code that the operator gave.")],
    directory: Dir = HERE,
    operator_fingerprint: Annotated[
        str | None, typer.Option(help="As the operator gave it; else you are asked.")
    ] = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Second step: sends the code, and installs the answer once its sender is confirmed."""
    if as_json and operator_fingerprint is None:
        raise typer.BadParameter("--json needs --operator-fingerprint: nobody can be asked")
    with reported(lang, as_json=as_json):
        passphrase, randomness = _passphrase(lang), SystemRandomness()
        answer = enrolment.ask(directory, passphrase, code, SystemClock(), randomness)
        enrolment.check_operator(
            answer, operator_fingerprint or _confirmed(answer.operator_key.fingerprint, lang)
        )
        certificate = enrolment.accept(directory, passphrase, answer, randomness)
        _say(
            "enrolled", lang, as_json=as_json, terminal=certificate.terminal,
            merchant=certificate.merchant_name, operator=certificate.operator,
        )  # fmt: skip


@app.command("top-up")
def top_up(
    *,
    directory: Dir = HERE,
    reader: Reader = None,
    card: Card = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Hands out the load that waits for the card in the reader."""
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        ended = _session(till, SessionOpening(LOAD, ""), reader, card)
        _tell_end(ended, _language(till, lang), as_json=as_json)
    if ended.outcome not in LOADED:
        sys.exit(FAILURE)


@app.command()
def personalise(
    serial: Annotated[
        str, typer.Argument(help="Serial of the stock card; for a CRS also /CODICEFISCALE.")
    ],
    *,
    directory: Dir = HERE,
    reader: Reader = None,
    card: Card = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Puts a purse on the stock card in the reader; the backend drives, no key is here."""
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        ended = _session(till, SessionOpening(PERSONALISE, serial), reader, card)
        _tell_end(ended, _language(till, lang), as_json=as_json)
    if ended.outcome != PURSE_MADE:
        sys.exit(FAILURE)


@app.command()
def renew(
    *,
    directory: Dir = HERE,
    reader: Reader = None,
    card: Card = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Changes the key set of the card in the reader; the citizen types the PIN."""
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        pin = _typed_pin(_language(till, lang))
        ended = _session(till, SessionOpening(RENEW, ""), reader, card, pin)
        _tell_end(ended, _language(till, lang), as_json=as_json)
    if ended.outcome not in RENEWED:
        sys.exit(FAILURE)


@app.command("reset-pin")
def reset_pin(
    *,
    by: Annotated[str, typer.Option(help="Who has checked whose card it is.")],
    purse: Annotated[str, typer.Option(help="Which purse, when the card has several.")] = "",
    directory: Dir = HERE,
    reader: Reader = None,
    card: Card = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Sets a new PIN on the card in the reader; it is in a letter at the backend."""
    with reported(lang, as_json=as_json):
        till = _load(directory, lang)
        reference = f"{by}/{purse}" if purse else by
        ended = _session(till, SessionOpening(PIN, reference), reader, card)
        _tell_end(ended, _language(till, lang), as_json=as_json)
    if ended.outcome != PIN_RESET:
        sys.exit(FAILURE)


def _typed_pin(lang: str) -> PinAsker:
    """Asks for the PIN without showing it; an empty line stands for none."""

    def ask(tries: int | None) -> Pin | None:
        if tries is not None:
            typer.echo(catalogue.sentence("PIN_WRONG", lang, tries_left=tries), err=True)
        question = catalogue.label("sync", "pin", lang)
        typed = typer.prompt(question, default="", hide_input=True, show_default=False, err=True)
        return Pin(typed) if typed else None

    return ask


def _session(
    till: Till,
    opening: SessionOpening,
    reader: str | None,
    card: str | None,
    ask_pin: PinAsker = no_pin,
) -> SessionCommands:
    with _uplink(till) as uplink:
        module = till.config.module_reader
        connection = open_connection(reader=reader, image=card, besides=module)
        try:
            return run_session(Channel(connection), uplink, opening, ask_pin=ask_pin)
        finally:
            connection.close()


def _tell_end(ended: SessionCommands, lang: str, *, as_json: bool) -> None:
    if as_json:
        shown = {"outcome": ended.outcome, "cents": ended.cents, "purse": ended.purse}
        typer.echo(json.dumps(shown))
        return
    typer.echo(catalogue.sentence(ended.outcome, lang))
    if ended.cents:
        amount = catalogue.money(Money(ended.cents), lang)
        typer.echo(catalogue.label("sync", "top_up_done", lang, amount=amount))
    elif ended.purse:
        typer.echo(catalogue.label("sync", "purse", lang, purse=ended.purse))


def _confirmed(fingerprint: str, lang: str | None) -> str:
    """The fingerprint when a person says that it is the right one, else nothing that fits."""
    chosen = catalogue.preferred(os.environ, lang)
    typer.echo(catalogue.label("sync", "fingerprint_operator", chosen, fingerprint=fingerprint))
    agreed = typer.confirm(catalogue.label("sync", "fingerprint_question", chosen))
    return fingerprint if agreed else ""


def _agent(till: Till, uplink: Uplink) -> Agent:
    return Agent(till, uplink, till.clock, till.randomness)


def _uplink(till: Till) -> Uplink:
    return Uplink(till.config.backend_url, till.module, till.operator, till.clock, till.randomness)


def _tell(report: RoundReport, lang: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_report_object(report)))
        return
    typer.echo(catalogue.label("sync", "sent", lang, sent=report.sent))
    for item in report.quarantined:
        reason = catalogue.sentence(item.reason, lang)
        typer.echo(catalogue.label("sync", "quarantined", lang, seq=item.seq, reason=reason))
    if report.problem:
        typer.echo(f"{report.problem}: {catalogue.sentence(report.problem, lang)}", err=True)
    elif not report.pending:
        typer.echo(catalogue.label("sync", "here_none", lang))


def _report_object(report: RoundReport) -> dict[str, Any]:
    return asdict(report) | {
        "quarantined": [{"seq": item.seq, "reason": item.reason} for item in report.quarantined]
    }


def _status_object(found: SyncStatus) -> dict[str, Any]:
    return asdict(found) | {
        "quarantined": [{"seq": item.seq, "reason": item.reason} for item in found.quarantined]
    }


def _status_lines(found: SyncStatus, lang: str) -> Generator[str]:
    def label(key: str, **facts: object) -> str:
        return catalogue.label("sync", key, lang, **facts)

    if found.entries_here:
        first = _moment(found.oldest_here)
        yield label("here_sales", sales=found.sales_here, entries=found.entries_here, time=first)
    else:
        yield label("here_none")
    if found.last_answer is None:
        yield label("answer_never")
    else:
        yield label("answer_last", time=_moment(found.last_answer))
    if found.days_left is not None:
        yield label("days_left" if found.days_left else "days_over", days=found.days_left)
    yield label("bundle", version=found.bundle)
    for item in found.quarantined:
        yield label("quarantined", seq=item.seq, reason=catalogue.sentence(item.reason, lang))


def _moment(unix_s: int | None) -> str:
    return "" if unix_s is None else f"{local_time(unix_s):%d/%m/%Y %H:%M}"


def _say(key: str, lang: str | None, *, as_json: bool, **facts: str | int) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(catalogue.label("sync", key, catalogue.preferred(os.environ, lang), **facts))


def _module_pin(path: Path | None, lang: str | None) -> str:
    if path is not None:
        return read_secret(path)
    asked = catalogue.label("module", "pin", catalogue.preferred(os.environ, lang))
    return str(typer.prompt(asked, hide_input=True))


def _passphrase(lang: str | None) -> str:
    chosen = catalogue.preferred(os.environ, lang)
    return read_passphrase(os.environ, catalogue.label("pay", "passphrase", chosen))


def _load(directory: Path, lang: str | None) -> Till:
    return Till.load(directory, _passphrase(lang), SystemClock(), SystemRandomness())


def _language(till: Till, lang: str | None) -> str:
    return catalogue.preferred(os.environ, lang or till.config.language or None)
