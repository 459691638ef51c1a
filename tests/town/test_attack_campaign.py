"""Adversaries over many seeds: what counts as held, and what the table says of it."""

from dataclasses import replace
from pathlib import Path

from simulator.town.adversaries.roll import ADVERSARIES
from simulator.town.campaign.attack_table import table, ways_table
from simulator.town.campaign.attacks import holds
from simulator.town.campaign.book import Book
from simulator.town.campaign.trial import Ground, Trial
from simulator.town.plan import Kind
from simulator.town.unreached import left_to_adversaries

SEEN = Trial(
    name="clone", seed=1, attempts=2, gain=100_00, bound=150_00, seen={"PURSE_FORKED": 3_600}
)
LATER = replace(SEEN, seed=2, gain=20_00, seen={"PURSE_FORKED": 7_260, "X": None})
IDLE = Trial(name="clone", seed=3)
REFUSED = Trial(name="stale read", seed=1, attempts=3, refusals={"CARD_MAC_BAD": 3, "9000": 2})


def test_the_table_names_the_worst_town_and_the_longest_wait() -> None:
    text = table([SEEN, LATER, IDLE, REFUSED], "en")
    stale, clone = text.splitlines()[2:]  # in the order of the roll
    assert clone.startswith("| clone | 2 / 3 | 4 | 100.00 EUR | 150.00 EUR | `PURSE_FORKED`")
    assert "2 h 1 min | 2 / 2 | 0 |" in clone
    assert "0.00 EUR | 0.00 EUR | `CARD_MAC_BAD` | at once | 1 / 1 | 0 |" in stale


def test_it_holds_when_everybody_struck_and_nothing_came_otherwise() -> None:
    assert holds([SEEN, IDLE, REFUSED], ["clone", "stale read"])
    assert not holds([IDLE, REFUSED], ["clone", "stale read"])
    assert not holds([SEEN, replace(LATER, failure="TOWN_ATTACK_GAINED")], ["clone"])
    assert not holds([SEEN, replace(LATER, alarms_false=1)], ["clone"])
    assert not holds([], [])


def test_all_of_them_have_gone_what_is_left_to_them() -> None:
    """An excuse of honest towns that nobody shows is no excuse."""
    everybody = [replace(SEEN, name=name) for name in ADVERSARIES]
    ways = left_to_adversaries()
    first = replace(everybody[0], reached=ways[:-1])
    assert not holds([first, *everybody[1:]], list(ADVERSARIES))
    last = replace(everybody[-1], reached=ways[-1:])
    assert holds([first, *everybody[1:-1], last], list(ADVERSARIES))
    text = ways_table([first, last], "en").splitlines()
    assert text[2] == f"| `{ways[0]}` | {first.name} |"
    assert text[-1] == f"| `{ways[-1]}` | {last.name} |"


def test_what_was_played_is_known_again(tmp_path: Path) -> None:
    book = Book(tmp_path / "book", Ground(), Trial)
    assert book.begin() == {}
    book.add(SEEN)
    book.add(REFUSED)
    again = Book(tmp_path / "book", Ground(), Trial).begin()
    assert again == {("clone", 1): SEEN, ("stale read", 1): REFUSED}
    assert Book(tmp_path / "book", Ground(days=9), Trial).begin() == {}


def test_a_ground_has_one_till_a_shop() -> None:
    plan = Ground().plan(3)
    assert {shop.tills for shop in plan.shops} == {1}
    assert {item.till for item in plan.happenings} == {0}
    assert plan.count(Kind.OPEN_TILL) > 0
