"""A session goes the same way whoever takes its steps, from memory or replayed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle

import pytest

from backend.adapters.unit_of_work import DatabaseWork
from backend.services.card_sessions.live import KEPT_MAX, LiveDialogues
from backend.services.card_sessions.sessions import TIME_TO_LIVE_S, CardSessions
from cardlib.codec.pin import Pin
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from terminal.agent.card_session import run_session, transmit
from tests.databases import Databases
from tests.integration.card_sessions.bench import DESK, Card, Town
from tests.integration.card_sessions.conftest import Snapshot

LOAD = SessionOpening("load", "")
Backends = Callable[[Town], list[CardSessions]]


@dataclass
class Transcript:
    """A station that writes down every answer; each step goes to the next of its backends."""

    backends: list[CardSessions]
    times: int = 1
    replies: list[SessionCommands] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = cycle(self.backends)

    def open(self, opening: SessionOpening) -> SessionCommands:
        self.replies.append(next(self._next).open(DESK, opening))
        return self.replies[-1]

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        for _ in range(self.times):
            self.replies.append(next(self._next).step(DESK, session, answers))
        return self.replies[-1]


def forgetful(town: Town) -> CardSessions:
    """A process that is started anew for each request."""

    class Forgetful(LiveDialogues):
        def keep(self, *_: object) -> None:
            pass

    made = town.backend(town.work)
    return CardSessions(
        made.work, made.keys, made.clock, made.randomness, made.letters, made.authorities,
        Forgetful(),
    )  # fmt: skip


PROCESSES: dict[str, Backends] = {
    "in hand": lambda town: [town.sessions],
    "two in turn": lambda town: [town.sessions, town.backend(town.work)],
    "two in pairs": lambda town: [town.sessions] * 2 + [town.backend(town.work)] * 2,
    "restarted": lambda town: [forgetful(town)],
}
SESSIONS = {"load": LOAD, "renew": SessionOpening("renew", ""), "pin": SessionOpening("pin", "ada")}


@pytest.mark.parametrize("purpose", SESSIONS)
def test_whoever_takes_the_steps_the_card_is_told_the_same(
    purpose: str, databases: Databases, with_an_order_waiting: Snapshot
) -> None:
    told: dict[str, list[SessionCommands]] = {}
    at = with_an_order_waiting
    for processes, of in PROCESSES.items():
        town = Town(databases.restore(at.database), at.town, "same")
        card = at.card.copy(town)
        if purpose == "renew":
            town.begin_key_set()
        told[processes] = play(card, purpose, Transcript(of(town)))

    assert told["in hand"][-1].outcome in {"LOAD_DONE", "KEY_SET_CHANGED", "PIN_RESET"}
    assert [told[processes] == told["in hand"] for processes in told] == [True] * len(PROCESSES)


def play(card: Card, purpose: str, station: Transcript) -> list[SessionCommands]:
    run_session(card.line, station, SESSIONS[purpose], ask_pin=lambda _left: Pin(card.pin))
    return station.replies


@pytest.mark.parametrize("processes", ["in hand", "two in turn", "two in pairs"])
def test_a_step_that_comes_twice_is_taken_once(
    processes: str, databases: Databases, with_an_order_waiting: Snapshot
) -> None:
    at = with_an_order_waiting
    told = []
    for times in (1, 2):
        town = Town(databases.restore(at.database), at.town, "twice")
        card = at.card.copy(town)
        station = Transcript(PROCESSES[processes](town), times)
        told.append(play(card, "load", station))
        assert town.signed() == [(1, "superseded"), (2, "on_card")]
        assert card.wallet() == town.slot_money(card) == 5000 - 1250 + 3000
        town.check_books()
    once, twice = told

    assert twice[1::2] == twice[2::2] == once[1:]


def test_a_purse_is_made_the_same_by_one_process_and_by_two(
    databases: Databases, founded: tuple[str, Town]
) -> None:
    told = []
    for of in PROCESSES.values():
        town = Town(databases.restore(founded[0]), founded[1], "made")
        card = town.stock_card()
        station = Transcript(of(town))
        run_session(card.line, station, SessionOpening("personalise", card.serial))
        told.append(station.replies)

    assert told[0][-1].outcome == "PURSE_MADE"
    assert [replies == told[0] for replies in told] == [True] * len(PROCESSES)


def test_after_an_older_copy_is_put_back_the_stored_decision_counts(
    databases: Databases, waiting: Card
) -> None:
    """One process remembers a grant that, as the books are now, was never signed."""
    town, line = waiting.town, waiting.line
    commands = town.sessions.open(DESK, LOAD)
    while True:
        kept = databases.keep()
        answers = SessionAnswers(commands.step, transmit(line, commands.commands))
        commands = town.sessions.step(DESK, commands.session, answers)
        if town.signed()[-1] == (2, "loading"):
            break
    town.work = DatabaseWork(databases.restore(kept))
    with town.work.begin() as unit:
        unit.cards.order(2).delta_cents = 2000
        unit.commit()

    commands = town.backend(town.work).step(DESK, commands.session, answers)
    while not commands.done:
        answers = SessionAnswers(commands.step, transmit(line, commands.commands))
        commands = town.sessions.step(DESK, commands.session, answers)

    assert (commands.outcome, commands.cents) == ("LOAD_DONE", 2000)
    assert waiting.wallet() == town.slot_money(waiting) == 5000 - 1250 + 2000
    town.check_books()


def test_a_process_holds_a_dialogue_no_longer_than_its_session(waiting: Card) -> None:
    town = waiting.town
    for _ in range(KEPT_MAX + 3):
        town.sessions.open(DESK, LOAD)
    assert len(town.sessions.dialogues) == KEPT_MAX

    town.clock.sleep(TIME_TO_LIVE_S + 1)
    done = town.load(waiting)

    assert done.outcome == "LOAD_DONE"
    assert len(town.sessions.dialogues) == 0
