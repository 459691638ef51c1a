"""``borsellino sync``, rounds: carry the journal to the backend, fetch what is new."""

import json
import signal
import sys
from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import typer

from cardlib.calendar import local_time
from cardlib.text import catalogue
from cardlib.text.command_line import reported
from terminal.agent.commands.options import (
    FAILURE,
    HERE,
    Dir,
    Json,
    Lang,
    Openers,
    language_of,
    uplink_of,
)
from terminal.agent.loop import Agent, AgentLock, RoundReport
from terminal.agent.status import SyncStatus, look
from terminal.agent.uplink import Uplink
from terminal.till import Till


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """``once``, ``run``, ``status``."""

    @app.command()
    def once(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Carries what waits, writes a heartbeat, fetches the bundle; exit 1 if not all."""
        with reported(lang, as_json=as_json):
            till = openers.load(directory, lang)
            with AgentLock(till), uplink_of(till) as uplink:
                report = _agent(till, uplink).round(beat_due=True)
            _tell(report, language_of(till, lang), as_json=as_json)
        if report.problem:
            sys.exit(FAILURE)

    @app.command()
    def run(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Synchronises until it is stopped; with --json one object a round."""
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
        with reported(lang, as_json=as_json):
            till = openers.load(directory, lang)
            language = language_of(till, lang)
            last: list[RoundReport] = []

            def told(report: RoundReport) -> None:
                last[:] = [report]
                _tell(report, language, as_json=as_json)

            with AgentLock(till), uplink_of(till) as uplink:
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
            till = openers.load(directory, lang)
            found = look(till)
            if as_json:
                typer.echo(json.dumps(_status_object(found)))
                return
            for line in _status_lines(found, language_of(till, lang)):
                typer.echo(line)


def _agent(till: Till, uplink: Uplink) -> Agent:
    return Agent(till, uplink, till.clock, till.randomness)


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
