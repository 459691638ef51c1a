"""Stations that work at the same moment, each with a backend process of its own."""

from collections import Counter
from functools import partial

import pytest

from backend.domain.ledger import AccountKind
from backend.errors import BackendError
from cardlib.wire.card_session import SessionAnswers, SessionOpening
from simulator.card.randomness import SeededRandomness
from tests.databases import Databases
from tests.integration.card_sessions.bench import DESK, TILL, Card, Town, Uplink
from tests.integration.concurrency.processes import at_once
from tests.integration.concurrency.sums import assert_whole, count

CENTS = 5000
STEPS = "card_session_step"
REFUSED = {"LOAD_NOTHING_WAITING", "CARD_SESSION_OVER"}
LOAD = SessionOpening("load", "")


@pytest.fixture
def card(databases: Databases) -> Card:
    """A card for which 50.00 wait."""
    town = Town(databases.fresh())
    made = town.purse_card()
    town.order(made, CENTS)
    return made


def apart(town: Town, number: int) -> None:
    """A process draws other randoms than the one it came from."""
    town.randomness = SeededRandomness(f"process {number}")
    town.sessions = town.backend(town.work)


def assert_loaded_once(card: Card, databases: Databases) -> None:
    assert card.town.balance(AccountKind.ON_CARD) == CENTS
    assert card.town.balance(AccountKind.LOADING) == 0
    assert [state for _, state in card.town.signed()] == ["on_card"]
    assert_whole(databases)
    card.town.check_books()


def test_two_stations_at_one_purse_at_once_and_one_of_them_wins(
    card: Card, databases: Databases
) -> None:
    town = card.town
    stations = [Uplink(town.sessions, terminal) for terminal in (DESK, TILL)]
    begun = []
    for uplink in stations:
        commands = uplink.open(LOAD)
        line = card.line
        answers = tuple(line.transmit(item) for item in commands.commands)
        begun.append((uplink, commands.session, SessionAnswers(1, answers)))

    def take(uplink: Uplink, session: str, answers: SessionAnswers) -> str:
        return uplink.step(session, answers).outcome

    outcomes = at_once(databases.engine, [partial(take, *station) for station in begun])

    assert sorted(outcomes) == ["", "CARD_SESSION_BUSY"]
    winner = stations[outcomes.index("")]
    assert town.load(card, uplink=winner).outcome == "LOAD_DONE"
    assert_loaded_once(card, databases)


def test_a_step_that_reaches_many_processes_is_taken_once(card: Card, databases: Databases) -> None:
    town = card.town
    uplink, line = Uplink(town.sessions), card.line
    commands = uplink.open(LOAD)
    answers = SessionAnswers(1, tuple(line.transmit(item) for item in commands.commands))
    before = count(databases, STEPS)

    replies = at_once(
        databases.engine, [partial(uplink.step, commands.session, answers) for _ in range(6)]
    )

    assert len(set(replies)) == 1
    assert count(databases, STEPS) == before + 1
    assert town.load(card).outcome == "LOAD_DONE"
    assert_loaded_once(card, databases)


def test_of_two_answers_to_one_step_one_counts(card: Card, databases: Databases) -> None:
    uplink, line = Uplink(card.town.sessions), card.line
    commands = uplink.open(LOAD)
    true = tuple(line.transmit(item) for item in commands.commands)
    before = count(databases, STEPS)
    answers = [SessionAnswers(1, true), SessionAnswers(1, (*true[:-1], b"\x6a\x82"))]

    def take(given: SessionAnswers) -> str:
        try:
            uplink.step(commands.session, given)
        except BackendError as error:
            return error.code
        return "taken"

    taken = at_once(databases.engine, [partial(take, given) for given in answers * 3])

    assert Counter(taken) == {"taken": 3, "CARD_SESSION_STEP_DIFFERS": 3}
    assert count(databases, STEPS) == before + 1


def test_whole_loads_by_many_processes_put_the_money_on_once(
    card: Card, databases: Databases
) -> None:
    """Each process has a copy of the card: what a person with a clone would bring."""
    town = card.town

    def load(number: int) -> str:
        apart(town, number)
        try:
            return town.load(card, uplink=Uplink(town.sessions, (DESK, TILL)[number % 2])).outcome
        except BackendError as error:
            return error.code

    outcomes = at_once(databases.engine, [partial(load, number) for number in range(4)])

    assert outcomes.count("LOAD_DONE") <= 1, outcomes
    assert set(outcomes) - {"LOAD_DONE", "CARD_SESSION_BUSY"} <= REFUSED, outcomes
    assert town.balance(AccountKind.ON_CARD) + town.balance(AccountKind.LOADING) in (0, CENTS)
    assert len(town.signed()) <= 1
    assert_whole(databases)
    town.check_books()
