"""A failing plan becomes the shortest history that still fails, told in plain words."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from backend.services.card_sessions import load
from cardlib.codec.purse import Grant
from cardlib.keys.grants import SignedGrant, sign_grant
from cardlib.text import catalogue
from cardlib.wire.ed25519 import SigningKey
from simulator.errors import TownError
from simulator.town.checks.town_checks import TownChecks
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.plan.model import AccidentKind, Kind, Mood, Plan
from simulator.town.shrink import Failure, Play, Recipe, failure_of, shrink
from simulator.town.world import World

RECIPE = Recipe(seed=5, days=4, people=3, shops=3, faults=0.3)


def clock() -> DeviceClock:
    return DeviceClock(TownTime(0))


def fails_with(kinds: Collection[Kind], accidents: int = 0) -> Play:
    """A pretended town that breaks once it has seen a happening of each of these kinds."""

    def play(plan: Plan) -> None:
        seen: set[Kind] = set()
        struck = 0
        for item in plan.happenings:
            seen.add(item.kind)
            struck += len(item.accidents)
            if seen >= set(kinds) and struck >= accidents:
                raise TownError("TOWN_ENTRY_LOST", happening=item.id)

    return play


def found(play: Play) -> Failure:
    failure = failure_of(play, RECIPE.plan())
    assert failure is not None
    return failure


def test_what_has_no_part_in_it_is_left_out() -> None:
    play = fails_with({Kind.OPEN_TILL, Kind.BUY, Kind.SYNC}, accidents=1)
    shrunk = shrink(RECIPE, found(play), play, clock())
    assert shrunk.whole
    assert {item.kind for item in shrunk.plan.happenings} >= {Kind.OPEN_TILL, Kind.BUY, Kind.SYNC}
    assert len(shrunk.plan.happenings) <= 4
    assert len(shrunk.plan.accidents) == 1


def test_another_failure_is_not_the_one_that_is_looked_for() -> None:
    def play(plan: Plan) -> None:
        if plan.count(Kind.BUY) < 2:
            raise TownError("TOWN_GOODS_ASTRAY")
        raise TownError("TOWN_ENTRY_LOST")

    shrunk = shrink(RECIPE, found(play), play, clock())
    assert shrunk.failure.code == "TOWN_ENTRY_LOST"
    assert shrunk.plan.count(Kind.BUY) == 2


def test_it_ends_when_its_runs_are_spent() -> None:
    play = fails_with({Kind.BUY})
    shrunk = shrink(RECIPE, found(play), play, clock(), runs_max=3)
    assert shrunk.runs == 3
    assert not shrunk.whole


def test_an_error_without_a_code_is_known_by_its_name() -> None:
    def play(_plan: Plan) -> None:
        raise KeyError("slot")

    assert found(play).code == "KeyError"


def test_a_recipe_gives_the_same_history_again(tmp_path: Path) -> None:
    gone = {item.id for item in RECIPE.plan().happenings[::3]}
    shorter = RECIPE.without(gone)
    shorter.write(tmp_path / "recipe.json")
    again = Recipe.read(tmp_path / "recipe.json")
    assert again == shorter
    assert again.plan() == shorter.plan() != RECIPE.plan()


@pytest.mark.parametrize("lang", ["it", "en"])
def test_every_happening_and_accident_has_its_words(lang: str) -> None:
    words = catalogue.load(lang)
    assert words["town_happening"].keys() >= {str(kind) for kind in Kind}
    assert words["town_accident"].keys() >= {str(kind) for kind in AccidentKind}
    assert words["town_mood"].keys() >= {str(mood) for mood in Mood} - {str(Mood.PATIENT)}


def test_a_planted_bug_shrinks_to_a_few_happenings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A grant of one cent too much: found by the checks, told in a few lines."""

    def generous(key: SigningKey, core: bytes, grant: Grant) -> SignedGrant:
        return sign_grant(key, core, replace(grant, granted_total=grant.granted_total + 1))

    monkeypatch.setattr(load, "sign_grant", generous)
    recipe = Recipe(seed=30, days=2, people=1, shops=3, faults=0.2)

    def play(plan: Plan) -> None:
        with World(plan, watchers=[TownChecks()]) as world:
            world.play()

    failure = failure_of(play, recipe.plan())
    assert failure is not None
    shrunk = shrink(recipe, failure, play, clock(), runs_max=20)
    told = shrunk.told("en", tmp_path / "recipe.json")
    kinds = [item.kind for item in shrunk.plan.happenings]
    assert kinds == [Kind.ISSUE_CARD, Kind.ORDER_LOAD, Kind.COLLECT]
    assert f"seed {recipe.seed}" in told[0]
    assert any("collects what waits" in line for line in told)
    assert told[-1].endswith(f"borsellino sim town --replay {tmp_path / 'recipe.json'}")
