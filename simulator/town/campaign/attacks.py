"""``./run town --adversaries``: every adversary of the roll over many seeds, on every core."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cardlib.text import catalogue
from simulator.town.adversaries.roll import ADVERSARIES, hyphened
from simulator.town.campaign.attack_table import table, ways_table
from simulator.town.campaign.book import Book
from simulator.town.campaign.processes import in_processes
from simulator.town.campaign.result_table import put
from simulator.town.campaign.trial import Ground, Trial, play_trial
from simulator.town.unreached import left_to_adversaries

SEEDS = 20
PLACE, WAYS = "adversaries", "ways of adversaries"


def attacks(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="How many towns for each.")] = SEEDS,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    only: Annotated[str, typer.Option(metavar="NAME", help="One adversary.")] = "",
    again: Annotated[bool, typer.Option("--again", help="Also what was played before.")] = False,
    book: Annotated[Path, typer.Option(help="Where results are kept.")] = Path("attacks.jsonl"),
    page: Annotated[Path | None, typer.Option(help="Put the table into this page.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Plays each adversary in many towns; exit status 0 when each was stopped, or bounded and seen.

    Stopped, it goes on where it was. Who had no moment to strike in any town has not been tried.
    """
    language, kept = catalogue.preferred(os.environ, lang), Book(book, Ground(), Trial)
    results = kept.begin(anew=again)
    names = [name for name in ADVERSARIES if only in ("", name, hyphened(name))]
    wanted = [(name, seed) for seed in range(first, first + seeds) for name in names]
    left = [one for one in wanted if one not in results]
    _say(language, "begins", trials=len(wanted), left=len(left))
    arguments = ((name, seed, Ground()) for name, seed in left)
    for trial in in_processes(play_trial, arguments, jobs or os.cpu_count() or 1):
        kept.add(trial)
        results[trial.key] = trial
        _tell(language, trial, sum(one in results for one in wanted), len(wanted))
    trials = [results[one] for one in wanted]
    tables = {PLACE: table(trials, language)}
    if not only:
        tables[WAYS] = ways_table(trials, language)
    for place, told in tables.items():
        typer.echo(told, nl=False)
        if page is not None:
            put(told, page, place, language)
    good = holds(trials, names)
    _say(language, "holds" if good else "broken", failures=sum(not one.held for one in trials))
    sys.exit(0 if good else 1)


def holds(trials: list[Trial], names: list[str]) -> bool:
    """Whether each of ``names`` has struck somewhere, and nothing went otherwise than stated.

    All of them together have also gone each way that is left to them.
    """
    struck = {one.name for one in trials if one.acted}
    as_stated = bool(names) and struck == set(names) and all(one.held for one in trials)
    gone = {way for one in trials for way in one.reached}
    return as_stated and (struck < set(ADVERSARIES) or gone >= set(left_to_adversaries()))


def _tell(lang: str, trial: Trial, done: int, trials: int) -> None:
    facts = {
        "done": done, "trials": trials, "name": trial.name, "seed": trial.seed,
        "attempts": trial.attempts, "failure": trial.failure, "false": trial.alarms_false,
        "missed": trial.alarms_missed, "command": trial.command,
    }  # fmt: skip
    _say(lang, "trial" if trial.held else "trial_failed", **facts)


def _say(lang: str, key: str, **facts: object) -> None:
    typer.echo(catalogue.label("attacks", key, lang, **facts))


if __name__ == "__main__":
    typer.run(attacks)
