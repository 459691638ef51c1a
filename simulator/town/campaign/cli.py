"""``./run town``: a campaign of towns on every core, which goes on where it was stopped."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cardlib.text import catalogue
from cardlib.wire.money import Money
from simulator.town.campaign.book import Book
from simulator.town.campaign.playing import Measure, Played, play_seed
from simulator.town.campaign.processes import in_processes
from simulator.town.campaign.summary import Summary

SEEDS, SALES, FAULTS = 100, 2_300, 0.12
MILLION = 5
"""So many times the usual sales a seed make a million in all."""


def campaign(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="How many towns.")] = SEEDS,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    sales: Annotated[int, typer.Option(min=1, help="Purchases planned in each.")] = SALES,
    faults: Annotated[float, typer.Option(min=0, max=1, help="Share that goes wrong.")] = FAULTS,
    million: Annotated[bool, typer.Option("--million", help="A million sales: overnight.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was played before.")] = False,
    book: Annotated[Path, typer.Option(help="Where results are kept.")] = Path("town.jsonl"),
    report: Annotated[Path | None, typer.Option(help="The sum, as JSON, in this file.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Plays many simulated towns with every check; stopped, it goes on where it was."""
    language = catalogue.preferred(os.environ, lang)
    measure = Measure(sales * MILLION if million else sales, faults)
    kept = Book(book, measure, Played)
    results = kept.begin(anew=again)
    wanted = range(first, first + seeds)
    left = [seed for seed in wanted if seed not in results]
    _say(language, "begins", seeds=seeds, left=len(left))
    arguments = ((seed, measure) for seed in left)
    for played in in_processes(play_seed, arguments, jobs or os.cpu_count() or 1):
        kept.add(played)
        results[played.seed] = played
        done = sum(seed in results for seed in wanted)
        _tell(language, played, done, seeds)
    summary = Summary.of((results[seed] for seed in wanted), measure)
    if report is not None:
        report.write_text(json.dumps(summary.as_json(), indent=1) + "\n", "utf-8")
    _conclude(language, summary)
    sys.exit(0 if summary.holds else 1)


def _tell(lang: str, played: Played, done: int, seeds: int) -> None:
    facts = {
        "done": done, "seeds": seeds, "seed": played.seed, "sales": played.sales,
        "faults": sum(played.faults.values()), "seconds": f"{played.seconds:.0f}",
    }  # fmt: skip
    _say(lang, "seed_played", **facts)
    if played.failure is not None:
        key = "seed_failed" if "law" in played.failure else "seed_crashed"
        _say(lang, key, **facts | played.failure, command=played.command)
    elif played.alarms_false or played.alarms_missed:
        alarms = {"false": played.alarms_false, "missed": played.alarms_missed}
        _say(lang, "seed_alarmed", **facts, **alarms, command=played.command)


def _conclude(lang: str, summary: Summary) -> None:
    _say(
        lang, "sum", seeds=summary.seeds, sales=summary.sales, faults=summary.faults.total(),
        cents=catalogue.money(Money(summary.cents), lang), astray=summary.cents_astray,
    )  # fmt: skip
    _say(
        lang, "alarms", explained=summary.alarms_explained, false=summary.alarms_false,
        missed=summary.alarms_missed,
    )  # fmt: skip
    for kind, count in summary.faults.most_common():
        typer.echo(f"  {kind}: {count}")
    for line in summary.reached.lines():
        typer.echo(line)
    if not summary.is_enough:
        _say(
            lang, "too_few", sales=summary.sales, faults=summary.faults.total(),
            wanted_sales=summary.wanted_sales, wanted_faults=summary.wanted_faults,
        )  # fmt: skip
    if not summary.holds:
        _say(lang, "broken", failures=len(summary.failures))
    else:
        _say(lang, "holds")


def _say(lang: str, key: str, **facts: object) -> None:
    typer.echo(catalogue.label("campaign", key, lang, **facts))
