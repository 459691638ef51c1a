"""``borsellino backend day-end | marks | alarms``: the end of a day, how complete the books are."""

import json
from dataclasses import asdict

import typer

from backend.adapters.tables.verdicts import AlarmRow
from backend.commands.options import HERE, Dir, Json, Lang, Openers
from backend.domain.marks import NEVER, Mark
from backend.services.terminals.marks import mark_of_merchant, mark_of_municipality
from backend.services.unit_of_work import Work
from cardlib.calendar import local_time
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.wire.money import Money


def add_commands(app: typer.Typer, openers: Openers) -> None:
    """Adds the sub-commands to ``app``."""

    @app.command("day-end")
    def day_end(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Lets wallets expire and gives up what the claim window is over for; safe to repeat."""
        with reported(lang, as_json=as_json), openers.backend(directory) as backend:
            done = backend.day_end.close_day()
            if as_json:
                typer.echo(json.dumps(asdict(done)))
                return
            chosen = language(lang)
            told = catalogue.label(
                "backend", "day_end", chosen, expired=done.expired, given_up=done.given_up,
                expired_money=catalogue.money(Money(done.expired_cents), chosen),
                given_up_money=catalogue.money(Money(done.given_up_cents), chosen),
                overdue=done.cases_overdue, intents=done.intents_open,
            )  # fmt: skip
            typer.echo(told)

    @app.command()
    def alarms(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """What a person should look at, newest first."""
        with reported(lang, as_json=as_json), openers.books(directory) as work:
            with work.read() as unit:
                found = list(reversed(unit.verdicts.alarms()))
            if as_json:
                typer.echo(json.dumps([_alarm_object(alarm) for alarm in found]))
                return
            chosen = language(lang)
            none = catalogue.label("backend", "alarms_none", chosen)
            typer.echo("\n".join([_alarm_line(alarm, chosen) for alarm in found] or [none]))

    @app.command()
    def marks(*, directory: Dir = HERE, as_json: Json = False, lang: Lang = None) -> None:
        """Up to when each town and each merchant is complete, and which tills it waits for."""
        with reported(lang, as_json=as_json), openers.books(directory) as work:
            found = _marks(work)
            if as_json:
                typer.echo(json.dumps({name: asdict(mark) for name, mark in found.items()}))
                return
            for name, mark in found.items():
                for line in _lines(name, mark, language(lang)):
                    typer.echo(line)


def _alarm_object(alarm: AlarmRow) -> dict[str, object]:
    return {
        "code": alarm.code, "about": alarm.ref, "raised_at": alarm.raised_at,
        "terminal": alarm.terminal, "facts": json.loads(alarm.facts),
    }  # fmt: skip


def _alarm_line(alarm: AlarmRow, lang: str) -> str:
    facts = {"terminal": alarm.terminal or "-", "about": alarm.ref} | json.loads(alarm.facts)
    return catalogue.label(
        "backend", "alarm_line", lang, at=f"{local_time(alarm.raised_at):%d/%m/%Y %H:%M}",
        code=alarm.code, about=alarm.ref, told=_told(alarm.code, lang, facts),
    )  # fmt: skip


def _told(code: str, lang: str, facts: dict[str, object]) -> str:
    """The sentence of an alarm, or nothing where an old one lacks what its sentence needs."""
    try:
        return catalogue.sentence(code, lang, **facts)
    except KeyError:
        return "-"


def _marks(work: Work) -> dict[str, Mark]:
    with work.read() as unit:
        towns = {
            town.name: mark_of_municipality(unit, town.id)
            for town in unit.programmes.municipalities()
        }
        shops = {
            f"{merchant.id} {merchant.name}": mark_of_merchant(unit, merchant.id)
            for merchant in unit.terminals.merchants()
        }
    return towns | shops


def _lines(name: str, mark: Mark, lang: str) -> list[str]:
    if mark.time == NEVER:
        return [catalogue.label("backend", "mark_never", lang, name=name)]
    time = f"{local_time(mark.time):%d/%m/%Y %H:%M}"
    lines = [catalogue.label("backend", "mark", lang, name=name, time=time)]
    exceptions = (
        ("mark_holding", "terminals", mark.holding),
        ("mark_lost", "terminals", mark.lost),
        ("mark_unresolved", "entries", mark.unresolved),
    )
    for key, fact, named in exceptions:
        if named:
            told = {fact: ", ".join(map(str, named))}
            lines.append(catalogue.label("backend", key, lang, **told))
    return lines
