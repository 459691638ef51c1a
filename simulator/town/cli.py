"""``borsellino sim town``: a simulated town under faults, from one seed."""

import json
import logging
import os
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import Progress

from cardlib.text import catalogue
from cardlib.wire.money import Money
from simulator.errors import TownError
from simulator.town.checks.town_checks import TownChecks
from simulator.town.plan import Plan, Size, make_plan
from simulator.town.world import World

USUAL = Size()


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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en.")] = None,
) -> None:
    """Plays a town of cards, tills, backend and bank, and checks every law after every step."""
    chosen = catalogue.preferred(os.environ, lang)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    plan, checks = make_plan(seed, days, Size(people, shops, trips), faults), TownChecks()
    failure: TownError | None = None
    with World(plan, watchers=[checks]) as world:
        try:
            _play(world, catalogue.label("town", "playing", chosen), silent=as_json)
        except TownError as error:
            failure = error
        facts = _facts(world, failure)
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        _tell(facts, plan, chosen)
    if failure is not None:
        typer.echo(f"{failure.code}: {catalogue.explain(failure, chosen)}", err=True)
        sys.exit(1)


def _play(world: World, title: str, *, silent: bool) -> None:
    console = Console(stderr=True)
    with Progress(console=console, disable=silent or not console.is_terminal) as progress:
        task = progress.add_task(title, total=len(world.plan.happenings))
        for happening in world.plan.happenings:
            world.step(happening)
            progress.advance(task)
        world.end()


def _facts(world: World, failure: TownError | None) -> dict[str, object]:
    truth = world.truth
    return {
        "seed": world.seed,
        "happenings": len(world.plan.happenings),
        "sales": sum(item.cents > 0 for item in truth.deliveries),
        "goods_cents": sum(item.cents for item in truth.deliveries),
        "paid_cents": sum(truth.paid.values()),
        "faults": {str(kind): count for kind, count in sorted(truth.struck.items())},
        "sent_away": {str(code): count for code, count in sorted(truth.refused.items())},
        "failure": failure.code if failure else None,
    }


def _tell(facts: dict[str, object], plan: Plan, lang: str) -> None:
    struck = facts["faults"]
    assert isinstance(struck, dict)
    typer.echo(
        catalogue.label(
            "town", "played", lang, seed=plan.seed, days=plan.days, people=len(plan.people),
            shops=len(plan.shops), sales=facts["sales"], faults=sum(struck.values()),
        )
    )  # fmt: skip
    goods, paid = (int(str(facts[key])) for key in ("goods_cents", "paid_cents"))
    typer.echo(catalogue.label("town", "money", lang, goods=Money(goods), paid=Money(paid)))
