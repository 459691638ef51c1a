"""``borsellino sim town``: a simulated town under faults, from one seed."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from cardlib.errors import CodedError
from cardlib.system import SystemClock
from cardlib.text import catalogue
from simulator.errors import TownError
from simulator.town.adversaries.roll import as_commanded
from simulator.town.plan import Size
from simulator.town.report.failing import Asked, shortest
from simulator.town.report.few_lines import summary
from simulator.town.report.html_page import write_page
from simulator.town.report.live import Played, play, play_again
from simulator.town.report.words import Words
from simulator.town.shrink import Failure, Recipe, Shrunk

USUAL = Size()
STOPPED, MISUSE = 130, 2
LINES_MAX = 60
NOTHING_HAPPENED = "TOWN_ATTACK_IDLE"


def town(
    *,
    seed: Annotated[int, typer.Option(help="The same seed is the same history.")] = 1,
    days: Annotated[int, typer.Option(min=1, help="Days from the first of October.")] = 28,
    people: Annotated[int, typer.Option(min=1, help="People with a card.")] = USUAL.people,
    shops: Annotated[int, typer.Option(min=1, help="Shops.")] = USUAL.shops,
    trips: Annotated[float, typer.Option(min=0.0, help="How often they shop: 1 is usual.")] = 1.0,
    faults: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of happenings that go wrong.")
    ] = 0.1,
    one_till: Annotated[bool, typer.Option("--one-till", help="One till in each shop.")] = False,
    adversary: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One at a time; list: which.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The report as HTML, with plots.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A history that was kept as it failed.")
    ] = None,
    shrink: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="To shorten a failing history.")
    ] = 120.0,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a picture.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Plays a town of cards, tills, backend and bank, and checks every law after every step."""
    chosen = catalogue.preferred(os.environ, lang)
    if adversary == ["list"]:
        typer.echo("\n".join(as_commanded()))
        return
    try:
        _check_alone(adversary or [])
        _check_report(report)
        usual = Recipe(seed, days, people, shops, trips, faults, one_till=one_till)
        asked = Asked(_kept(replay) if replay else usual, tuple(adversary or ()), replay)
        command = TownCommand(asked, chosen, as_json=as_json, plain=plain)
        played = command.play()
    except (CodedError, OSError, ValueError) as error:
        _refuse(error, chosen)
    try:
        command.conclude(played, report, shrink)
    except OSError as error:  # the disk filled meanwhile: what was found is told already
        _refuse(error, chosen)
    sys.exit(STOPPED if played.stopped else 0 if played.figures.holds else 1)


class TownCommand:
    """One call of the command."""

    def __init__(self, asked: Asked, lang: str, *, as_json: bool, plain: bool) -> None:
        self._asked = asked
        self._as_json = as_json
        self._plain = plain
        self._plan = asked.recipe.plan()
        self._console, self._clock = Console(), SystemClock()
        self._told: dict[str, Any] = {}
        people = {person.key: person for person in self._plan.people}
        self.words = Words.of(lang, {shop.key: shop.name for shop in self._plan.shops}, people)

    def play(self) -> Played:
        """The town, shown as it goes on."""
        return play(
            self._asked, self._plan, self.words, self._console, self._clock,
            plain=self._plain, silent=self._as_json,
        )  # fmt: skip

    def conclude(self, played: Played, report: Path | None, shrink: float) -> None:
        """The page, the figures, and the shortest history where a law broke."""
        self.tell(played)
        if report is not None:
            report.write_text(write_page(played.figures, self.words), "utf-8")
            if not self._as_json:
                typer.echo(self.words.label("report_is_in", path=report))
        if shrink and self.can_be_shorter(played):
            kept = (report or Path("town")).with_suffix(".failing.json")
            self.tell_shortest(played, shrink, kept)
        self.end()

    def tell(self, played: Played) -> None:
        """The figures, for people now, for programs at the end."""
        self._told = played.figures.as_json() | {"shortest": None}
        if self._as_json:
            return
        for line in summary(played.figures, self.words):
            if self._console.is_terminal and self._asked.command not in line:
                self._console.print(line, markup=False, highlight=False)
            else:
                typer.echo(line)

    def can_be_shorter(self, played: Played) -> bool:
        """Whether there is a breach; of an attack that never came there is no shorter history."""
        failure = played.figures.failure
        return failure is not None and failure["code"] != NOTHING_HAPPENED

    def tell_shortest(self, played: Played, seconds: float, kept: Path) -> None:
        """The shortest history that fails alike, and the command that plays it from ``kept``."""
        found = self._shorten(played, seconds)
        found.recipe.write(kept)
        replay = self._asked.replay(kept)
        self._told["shortest"] = {
            "recipe": asdict(found.recipe) | {"gone": sorted(found.recipe.gone)},
            "happenings": [item.id for item in found.plan.happenings],
            "runs": found.runs, "whole": found.whole, "command": replay,
        }  # fmt: skip
        if not self._as_json:
            typer.echo("\n".join(["", *self._cut(found.told(self.words.lang))]))
            typer.echo(catalogue.label("town", "replay", self.words.lang, command=replay))

    def _cut(self, lines: list[str]) -> list[str]:
        """The first line, and of a long history its end; all of it is in the file."""
        left_out = len(lines) - 1 - LINES_MAX
        if left_out <= 0:
            return lines
        return [lines[0], self.words.label("left_out", count=left_out), *lines[-LINES_MAX:]]

    def end(self) -> None:
        """The object of ``--json``."""
        if self._as_json:
            typer.echo(json.dumps(self._told))

    def _shorten(self, played: Played, seconds: float) -> Shrunk:
        """With progress; Ctrl-C ends the search and keeps the shortest so far."""
        assert played.failure is not None
        progress, size = Console(stderr=True), len(self._plan.happenings)
        begun = self._shrinking(0, size, len(self._plan.accidents))
        if not progress.is_terminal:
            typer.echo(begun, err=True)
        with progress.status(begun) as status:
            return shortest(
                self._asked.recipe, Failure.of(played.failure),
                lambda plan: play_again(self._asked, plan), self._clock,
                lambda *facts: status.update(self._shrinking(*facts)), seconds_max=seconds,
            )  # fmt: skip

    def _shrinking(self, runs: int, happenings: int, accidents: int) -> str:
        facts = {"runs": runs, "happenings": happenings, "accidents": accidents}
        return self.words.label("shrinking", **facts)


def _check_alone(adversaries: list[str]) -> None:
    """TownError ``TOWN_ADVERSARIES_MANY``: each takes the others' traces for its own."""
    if len(adversaries) > 1:
        raise TownError("TOWN_ADVERSARIES_MANY", names=", ".join(adversaries))


def _check_report(path: Path | None) -> None:
    """TownError ``TOWN_REPORT_PLACE``, before a town is played for nothing."""
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        raise TownError("TOWN_REPORT_PLACE", path=str(path))


def _kept(path: Path) -> Recipe:
    """A history that was kept; TownError ``TOWN_HISTORY_UNREADABLE``."""
    try:
        return Recipe.read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TownError("TOWN_HISTORY_UNREADABLE", path=str(path)) from error


def _refuse(error: Exception, lang: str) -> NoReturn:
    told = catalogue.explain(error, lang) if isinstance(error, CodedError) else str(error)
    code = error.code if isinstance(error, CodedError) else type(error).__name__
    typer.echo(f"{code}: {told}", err=True)
    sys.exit(MISUSE)
