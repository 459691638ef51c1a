"""Cards torn and backends killed anywhere in a load: granted once, a wallet always there."""

from collections.abc import Callable

import pytest

from backend.domain.ledger import AccountKind
from cardlib.codec.purse import EMPTY_GRANT
from cardlib.connection import CardConnection
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from simulator.faults import (
    HeldBack,
    Mute,
    ResetBefore,
    Tear,
    TearAfter,
    TearBefore,
    TearDuring,
    nth,
)
from terminal.agent.card_session import run_session
from tests.integration.card_sessions.bench import (
    DESK,
    TILL,
    Card,
    DyingWork,
    RestartingUplink,
    Town,
    Uplink,
)

SOME_CASES = 8

COMMANDS_OF_A_RELOAD = 23
WRITES = (15, 19, 23)
COMMITS_OF_A_RELOAD = 6
Break = Callable[[Card, int], CardConnection]

BREAKS: dict[str, Break] = {
    "before": lambda card, n: TearBefore(card.line, nth(n)),
    "after": lambda card, n: TearAfter(card.line, nth(n)),
    "damaged": lambda card, n: TearDuring(card.line, card.card, nth(n), Tear.DAMAGED_NEW),
    "mute": lambda card, n: Mute(card.line, nth(n)),
    "reset": lambda card, n: ResetBefore(card.line, nth(n)),
}


def assert_loaded_once(card: Card) -> None:
    town = card.town
    assert card.wallet() == town.slot_money(card) == 5000 - 1250 + 3000
    assert len(card.grants) == 1
    assert [card.grant_record(number) for number in range(1, 9)].count(EMPTY_GRANT) == 7
    assert card.info.record_map == sum(1 << (number - 1) for number in card.grants)
    assert town.signed() == [(1, "superseded"), (2, "on_card")]
    assert town.order_state(2) == "on_card"
    assert town.balance(AccountKind.LOADING) == 0
    town.check_books()


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((kind, nr) for kind in ("before", "after") for nr in range(1, COMMANDS_OF_A_RELOAD + 1)),
        *(("damaged", nr) for nr in WRITES),
        *((kind, nr) for kind in ("mute", "reset") for nr in (2, 3, 4, 6, 14, *range(15, 24))),
    ],
)
def test_a_torn_load_is_finished_by_another_station(waiting: Card, kind: str, number: int) -> None:
    town = waiting.town
    torn = town.load(waiting, BREAKS[kind](waiting, number))

    assert torn.outcome in {"CARD_GONE", "CARD_ANSWER", "LOAD_DONE"}
    assert waiting.wallet() in {3750, 6750}
    assert town.slot_money(waiting) in {5000, 3750, 6750}
    done = town.load(waiting, uplink=Uplink(town.sessions, TILL))
    assert done.outcome in {"LOAD_DONE", "LOAD_TIDIED", "LOAD_NOTHING_WAITING"}
    assert_loaded_once(waiting)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, COMMITS_OF_A_RELOAD + 1))
def test_a_backend_killed_around_a_commit_goes_on_with_the_same_session(
    waiting: Card, number: int, after: bool
) -> None:
    town = waiting.town
    dying = town.backend(DyingWork(town.work, number, after=after))
    uplink = RestartingUplink(dying, town.backend(town.work))

    done = run_session(waiting.line, uplink, SessionOpening("load", ""))

    assert (done.outcome, done.cents, uplink.deaths) == ("LOAD_DONE", 3000, 1)
    assert_loaded_once(waiting)


class DeadLine:
    """The line to the backend is cut: before a request arrives, or before its answer does."""

    def __init__(self, town: Town, step: int, *, arrived: bool) -> None:
        self._inner, self._step, self._arrived = Uplink(town.sessions), step, arrived

    def open(self, opening: SessionOpening) -> SessionCommands:
        return self._inner.open(opening)

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        if answers.step == self._step and not self._arrived:
            raise ConnectionError
        commands = self._inner.step(session, answers)
        if answers.step == self._step:
            raise ConnectionError
        return commands


@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("step", range(1, 6))
def test_a_station_cut_off_leaves_nothing_half_done(
    waiting: Card, step: int, arrived: bool
) -> None:
    town = waiting.town
    with pytest.raises(ConnectionError):
        run_session(waiting.line, DeadLine(town, step, arrived=arrived), SessionOpening("load", ""))

    town.clock.sleep(300)
    town.load(waiting, uplink=Uplink(town.sessions, TILL))
    assert_loaded_once(waiting)


def test_the_same_grant_goes_out_again_after_a_tear(waiting: Card) -> None:
    town = waiting.town
    town.load(waiting, TearDuring(waiting.line, waiting.card, nth(15), Tear.DAMAGED_NEW))
    assert waiting.grant_record(2) != EMPTY_GRANT
    assert list(waiting.grants) == [1]
    signed = town.signed()
    waiting.debit(400)

    done = town.load(waiting)

    assert (done.outcome, done.cents) == ("LOAD_DONE", 3000)
    assert town.signed() == [(1, "superseded"), (2, "on_card")]
    assert signed == [(1, "on_card"), (2, "loading")]
    assert waiting.wallet() == 6750 - 400
    assert [item.grant.base_ctr for item in waiting.grants.values()] == [1]


def test_a_superseded_grant_left_on_the_card_is_a_state_of_its_order(
    waiting: Card,
) -> None:
    town = waiting.town
    town.load(waiting, TearBefore(waiting.line, nth(19)))

    assert town.order_state(2) == "superseded_on_card"
    assert len(waiting.grants) == 2
    assert (waiting.wallet(), town.slot_money(waiting)) == (6750, 6750)

    assert town.load(waiting, uplink=Uplink(town.sessions, TILL)).outcome == "LOAD_TIDIED"
    assert_loaded_once(waiting)


def test_a_write_held_back_dies_with_the_next_session(waiting: Card) -> None:
    town = waiting.town
    line = waiting.line
    shim = HeldBack(line, nth(1, ins=0xDC))
    town.load(waiting, shim)
    town.load(waiting)
    for command in ("00A4080C041200B001", "0084000008", "80860000080102030405060708"):
        line.transmit(bytes.fromhex(command))

    assert shim.release() == b"\x69\x88"
    assert_loaded_once(waiting)


def test_two_stations_at_one_card_load_it_once(waiting: Card) -> None:
    town = waiting.town
    opening = SessionOpening("load", "")
    first = Uplink(town.sessions, DESK)
    commands = first.open(opening)
    line = waiting.line
    answers = tuple(line.transmit(item) for item in commands.commands)
    first.step(commands.session, SessionAnswers(1, answers))

    assert town.load(waiting, uplink=Uplink(town.sessions, TILL)).outcome == "CARD_SESSION_BUSY"
    assert town.load(waiting, uplink=first).outcome == "LOAD_DONE"
    assert_loaded_once(waiting)
