"""What a run has gone through is counted way by way, and what it has not is named."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import pytest

from backend.domain.outcomes import PaymentState
from backend.domain.settlement import BatchState, LineState
from backend.domain.states import (
    AwardState,
    CaseState,
    GrantState,
    OrderState,
    PurseState,
    SessionState,
    TerminalState,
)
from backend.domain.verdicts import Closing, PostingState
from backend.services.card_sessions.sessions import PURPOSES
from cardlib.codec.purse import EMPTY_SPEND
from cardlib.wire.card_session import SessionOpening
from cardlib.wire.ids import PurseId
from simulator.town.adversaries.roll import ADVERSARIES
from simulator.town.reached import STEPS, TABLES, Reached, watching
from simulator.town.unreached import REASONS, TESTS, left_to_adversaries, page
from terminal.recovery.table import Question, conclude
from terminal.sale.states import Event, State, after
from tests.town.place import Place

QUESTION = Question(PurseId(bytes(3), bytes(8)), 1, bytes(8), EMPTY_SPEND, EMPTY_SPEND)


def test_moves_of_a_sale_and_rows_of_recovery_are_counted() -> None:
    with watching() as reached:
        after(State.IDLE, Event.CARD_GOOD)
        after(State.IDLE, Event.CARD_GOOD)
        conclude(QUESTION, None)
    after(State.IDLE, Event.CARD_GONE)
    assert reached.of("sale")["idle>card_read by card_good"] == 2
    assert reached.of("sale")["idle>idle by card_gone"] == 0
    assert reached.of("recovery")["no_answer"] == 1


def test_a_load_and_a_sale_go_through_the_tables_of_the_backend(place: Place) -> None:
    with watching() as reached:
        shop = place.shop()
        card = place.card(shop)
        place.order(card, 5_000)
        shop.session(card, SessionOpening("load", ""))
        shop.sell(card, 1_250)
        shop.sync()
    assert reached.of("order")["approved>loading"] == reached.of("order")["loading>on_card"] == 1
    assert reached.of("grant")[">loading"] == 1
    assert reached.of("session_outcome")["PURSE_MADE"] == 1
    assert reached.of("intent")["open>committed"] == 1
    assert reached.of("posting")[">proven"] == 1
    assert reached.of("entry")["sale accepted"] == 1
    assert reached.of("transfer")["sale_proven"] == 1
    assert "void_proven" in reached.unreached()["transfer"]


def test_counts_of_many_seeds_come_together() -> None:
    one, other = Reached(), Reached()
    one.note("recovery", "no_answer")
    other.note("recovery", "no_answer")
    other.note("recovery", "wrong_card")
    one.add(Reached.from_json(other.as_json()))
    assert one.of("recovery")["no_answer"] == 2
    assert one.of("recovery")["wrong_card"] == 1
    assert "no_answer" not in one.unreached()["recovery"]
    assert f"recovery: 2 of {len(TABLES['recovery'])}" in one.lines()
    assert any(
        line.startswith("  not reached: rolled_back (nobody in the town") for line in one.lines()
    )


@pytest.mark.parametrize(
    ("table", "states"),
    [
        ("order", OrderState), ("grant", GrantState), ("award", AwardState), ("purse", PurseState),
        ("case", CaseState), ("terminal", TerminalState), ("session", SessionState),
        ("batch", BatchState), ("line", LineState), ("payment", PaymentState),
        ("posting", PostingState), ("intent", set(Closing) - {Closing.MISSING}),
    ],
)  # fmt: skip
def test_the_products_own_states_are_those_of_the_table(
    table: str, states: Iterable[StrEnum]
) -> None:
    """A state that the product gets, or loses, is one of the table too."""
    named = {word for way in TABLES[table] for word in way.split(">")} - {""}
    assert named == {str(state) for state in states}


def test_each_purpose_of_a_card_session_has_its_steps_in_the_table() -> None:
    assert set(STEPS) == set(PURPOSES)
    assert all(steps > 0 for steps in STEPS.values())


def test_reasons_are_given_for_ways_that_there_are() -> None:
    assert all(way in TABLES[table] for table, way in REASONS)


def test_what_is_left_to_tests_has_tests() -> None:
    tested = {table for (table, _), reason in REASONS.items() if reason == "tested"}
    assert tested == set(TESTS)
    assert all(Path(path).is_file() for path in TESTS.values())


def test_what_is_left_to_the_adversaries_they_go() -> None:
    """The table that a run of all of them has put into the manual."""
    text = Path("docs/town.md").read_text("utf-8")
    begin = "<!-- campaign ways of adversaries -->"
    table = text.split(begin)[1].split("<!-- end -->")[0].strip().splitlines()[2:]
    rows = [row.split("|")[1:3] for row in table]
    gone = {way.strip(" `"): set(by.strip().split(", ")) for way, by in rows}
    assert list(gone) == left_to_adversaries()
    assert all(by and by <= set(ADVERSARIES) for by in gone.values())


def test_the_manual_says_what_the_town_does_not_reach() -> None:
    assert page("en") in Path("docs/town.md").read_text("utf-8")
    assert page("it").count("\n") == page("en").count("\n")
