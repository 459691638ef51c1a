"""The judge of attacks: who fails for another reason than the stated one has shown nothing."""

import pytest

from simulator.errors import TownError
from simulator.town.adversaries.adversary import Claim, Expectation, Tally, judge
from simulator.town.adversaries.attacker import Attacker
from simulator.town.adversaries.roll import ADVERSARIES
from simulator.town.plan import Size, make_plan
from simulator.town.plan.model import Happening
from simulator.town.state import Town

TWO_TURNS = (frozenset({"CARD_MAC_BAD"}), frozenset({"6985", "SALE_UNKNOWN"}))


class Told(Attacker):
    """An attacker who meets these codes, attempt after attempt."""

    name = "told"
    expectation = Expectation(source="", claim=Claim.STOPPED, refused_by=TWO_TURNS)
    tries = 9

    def __init__(self, *met: str) -> None:
        super().__init__()
        self.met = [codes.split() for codes in met]

    def take_turn(self, town: Town, happening: Happening) -> None:  # noqa: ARG002
        for code in self.met[self.tally.attempts]:
            self.tally.refuse(code)
        self.tally.attempts += 1


@pytest.fixture(scope="module")
def town() -> Town:
    return Town(make_plan(1, 2, Size(people=1, shops=1, trips=6.0)))


def judged(attacker: Attacker, town: Town) -> str:
    """What the judge says after its attempts."""
    buy = next(item for item in town.plan.happenings if item.kind in attacker.turn)
    for _ in attacker.met if isinstance(attacker, Told) else ():
        attacker.after(town, buy)
    try:
        judge(attacker, 1)
    except TownError as error:
        return f"{error.code} {error.facts['what']}"
    return ""


def test_every_attempt_must_meet_the_refusals_of_its_turn(town: Town) -> None:
    assert judged(Told("CARD_MAC_BAD", "6985 SALE_UNKNOWN", "CARD_MAC_BAD"), town) == ""
    assert "CARD_MAC_BAD" in judged(Told("OFFLINE_TOO_LONG"), town)
    assert "refused by 6985" in judged(Told("CARD_MAC_BAD", "SALE_UNKNOWN"), town)
    assert "TOWN_ATTACK_UNSEEN" in judged(Told("CARD_MAC_BAD", ""), town)


def test_what_was_met_before_does_not_count_again(town: Town) -> None:
    assert "CARD_MAC_BAD" in judged(Told("CARD_MAC_BAD", "6985 SALE_UNKNOWN", "6985"), town)


def test_an_alarm_that_is_named_must_have_come() -> None:
    class Alarming(Told):
        expectation = Expectation(source="", claim=Claim.STOPPED, told_by=frozenset({"A", "B"}))

    one = Alarming()
    one.tally = Tally(attempts=1, seen={"C": "x"})
    with pytest.raises(TownError, match="none of A, B"):
        judge(one, 1)
    one.tally.seen["B"] = "y"
    judge(one, 1)


@pytest.mark.parametrize("name", ADVERSARIES)
def test_whoever_is_stopped_says_by_what(name: str) -> None:
    expected = ADVERSARIES[name].expectation
    stopped = expected.claim is Claim.STOPPED
    assert not stopped or expected.refused_by or expected.told_by
    assert all(expected.refused_by)
    assert stopped or (expected.bound != "0" and expected.seen_by)
