"""Loads as a desk sees them: what the card gains, what the books say, who may do what."""

import pytest

from backend.domain.ledger import AccountKind
from backend.errors import BadInputError, ConflictError, NotPermittedError, UnknownError
from backend.services.card_sessions.sessions import TIME_TO_LIVE_S
from cardlib.wire.card_session import SessionAnswers, SessionOpening
from simulator.faults import HeldBack, Shim, nth
from terminal.agent.card_session import run_session, transmit
from tests.integration.card_sessions.bench import DESK, TILL, Town, Uplink

LOAD = SessionOpening("load", "")


def test_a_first_load_moves_the_award_onto_the_card(town: Town) -> None:
    card = town.purse_card()
    order = town.order(card, 5000)

    done = town.load(card)

    assert (done.outcome, done.cents, done.purse) == ("LOAD_DONE", 5000, str(card.purse))
    assert card.wallet() == town.slot_money(card) == 5000
    assert town.balance(AccountKind.LOADING) == 0
    assert town.order_state(order) == "on_card"
    grant = card.grants[1].grant
    assert (grant.grant_seq, grant.programme, grant.categories, grant.day_limit_eur) == (
        1, 12, 15, 50,
    )  # fmt: skip
    assert card.info.record_map == 0b1
    town.check_books()


def test_a_reload_takes_five_steps_and_carries_the_rest_over(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000)
    town.load(card)
    card.debit(1250)
    town.order(card, 3000)
    uplink = Uplink(town.sessions)

    done = town.load(card, uplink=uplink)

    assert (done.outcome, uplink.steps) == ("LOAD_DONE", 5)
    assert card.wallet() == 5000 - 1250 + 3000
    assert (list(card.grants), card.info.record_map) == ([2], 0b10)
    assert town.signed() == [(1, "superseded"), (2, "on_card")]
    town.check_books()


def test_a_load_of_two_programmes_keeps_two_wallets(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000, slot=1, programme=1)
    town.order(card, 700, slot=2, programme=2)

    assert [town.load(card).cents, town.load(card).cents] == [5000, 700]

    assert (card.wallet(1), card.wallet(2)) == (5000, 700)
    assert (town.slot_money(card, 1), town.slot_money(card, 2)) == (5000, 700)
    town.check_books()


def test_another_programme_in_the_slot_lets_the_old_rest_expire(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000, programme=1)
    town.load(card)
    card.debit(1000)
    town.order(card, 300, programme=2)

    town.load(card)

    assert card.wallet() == 300
    assert town.balance(AccountKind.EXPIRED, programme=1) == 4000
    assert town.balance(AccountKind.ON_CARD, programme=2) == 300
    town.check_books()


def test_nothing_waits(town: Town) -> None:
    card = town.purse_card()
    done = town.load(card)
    assert (done.outcome, done.cents) == ("LOAD_NOTHING_WAITING", 0)


def test_the_same_order_is_loaded_once(town: Town) -> None:
    card = town.purse_card()
    order = town.order(card, 5000)

    outcomes = [town.load(card, order=order).outcome for _ in range(2)]

    assert outcomes == ["LOAD_DONE", "LOAD_NOTHING_WAITING"]
    assert card.wallet() == 5000
    assert town.signed() == [(1, "on_card")]


def test_an_order_is_not_loaded_onto_another_purse(town: Town) -> None:
    card, other = town.purse_card("one"), town.purse_card("two")
    order = town.order(card, 5000)

    done = town.load(other, order=order)

    assert (done.outcome, other.wallet()) == ("ORDER_OTHER_PURSE", None)
    assert town.order_state(order) == "approved"


def test_commands_for_one_purse_do_nothing_on_another(town: Town) -> None:
    """A reader that shows one card and writes to another."""
    card, other = town.purse_card("one"), town.purse_card("two")
    order = town.order(card, 5000)
    other_line = other.line
    other_line.transmit(bytes.fromhex("00A4080C041200B001"))

    class Switching(Shim):
        def transmit(self, apdu: bytes) -> bytes:
            return (other_line if apdu[1] == 0xDC else card_line).transmit(apdu)

    card_line = card.line
    done = town.load(card, Switching(card_line), order=order)

    assert done.outcome == "CARD_ANSWER"
    assert other.grants == {}
    assert town.order_state(order) == "loading"
    assert town.load(card).outcome == "LOAD_DONE"
    assert card.wallet() == 5000


def test_the_same_answers_again_get_the_same_commands(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000)
    line = card.line
    commands = town.sessions.open(DESK, LOAD)
    while not commands.done:
        answers = SessionAnswers(commands.step, transmit(line, commands.commands))
        once = town.sessions.step(DESK, commands.session, answers)
        again = town.sessions.step(DESK, commands.session, answers)
        assert once == again
        commands = again

    assert commands.outcome == "LOAD_DONE"
    assert (card.wallet(), town.slot_money(card)) == (5000, 5000)


def test_other_answers_to_an_answered_step_are_refused(town: Town) -> None:
    card = town.purse_card()
    commands = town.sessions.open(DESK, LOAD)
    answers = transmit(card.line, commands.commands)
    town.sessions.step(DESK, commands.session, SessionAnswers(1, answers))

    with pytest.raises(ConflictError, match="CARD_SESSION_STEP_DIFFERS"):
        town.sessions.step(DESK, commands.session, SessionAnswers(1, (b"\x6a\x82",)))
    with pytest.raises(ConflictError, match="CARD_SESSION_STEP_DIFFERS"):
        town.sessions.step(DESK, commands.session, SessionAnswers(3, answers))


def test_a_session_belongs_to_its_station(town: Town) -> None:
    card = town.purse_card()
    commands = town.sessions.open(DESK, LOAD)
    answers = SessionAnswers(1, transmit(card.line, commands.commands))
    with pytest.raises(NotPermittedError, match="CARD_SESSION_OTHER_STATION"):
        town.sessions.step(TILL, commands.session, answers)


def test_sessions_that_do_not_exist_are_unknown(town: Town) -> None:
    with pytest.raises(UnknownError, match="CARD_SESSION_UNKNOWN"):
        town.sessions.step(DESK, "nothing", SessionAnswers(1, ()))
    with pytest.raises(BadInputError, match="CARD_SESSION_PURPOSE"):
        town.sessions.open(DESK, SessionOpening("dance", ""))


def begin(town: Town, line: Shim, terminal: int) -> str:
    """A session that has read EF.INFO and no more."""
    commands = town.sessions.open(terminal, LOAD)
    answers = SessionAnswers(1, transmit(line, commands.commands))
    return town.sessions.step(terminal, commands.session, answers).session


def test_one_session_at_a_time_has_a_purse(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000)
    begin(town, Shim(card.line), TILL)

    assert town.load(card).outcome == "CARD_SESSION_BUSY"

    town.clock.sleep(TIME_TO_LIVE_S + 1)
    assert town.load(card).outcome == "LOAD_DONE"


def test_a_station_that_begins_again_gives_up_its_first_session(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000)
    first = begin(town, Shim(card.line), DESK)

    assert town.load(card).outcome == "LOAD_DONE"

    with pytest.raises(ConflictError, match="CARD_SESSION_OVER"):
        town.sessions.step(DESK, first, SessionAnswers(2, (b"\x90\x00",)))


def test_a_session_past_its_time_is_over(town: Town) -> None:
    card = town.purse_card()
    session = begin(town, Shim(card.line), DESK)
    town.clock.sleep(TIME_TO_LIVE_S + 1)
    for code in ("CARD_SESSION_EXPIRED", "CARD_SESSION_OVER"):
        with pytest.raises(ConflictError, match=code):
            town.sessions.step(DESK, session, SessionAnswers(2, (b"\x90\x00",)))


def test_each_session_leaves_a_record(town: Town) -> None:
    card = town.purse_card()
    town.order(card, 5000)
    card.debit(100)
    town.load(card)
    card.roll_back_spend()
    town.load(card)

    outcomes = [outcome for _, outcome in town.session_outcomes(card)]

    assert sorted(str(outcome) for outcome in outcomes) == [
        "LOAD_DONE", "PURSE_MADE", "PURSE_ROLLED_BACK",
    ]  # fmt: skip


def test_a_lost_station_works_on_no_card(town: Town) -> None:
    card = town.purse_card()
    session = begin(town, Shim(card.line), DESK)
    with town.work.begin() as unit:
        unit.terminals.terminal(DESK).state = "lost"
        unit.commit()
    with pytest.raises(NotPermittedError, match="CARD_SESSION_STATION_CLOSED"):
        town.sessions.open(DESK, LOAD)
    with pytest.raises(NotPermittedError, match="CARD_SESSION_STATION_CLOSED"):
        town.sessions.step(DESK, session, SessionAnswers(2, (b"\x90\x00",)))


def test_a_training_station_touches_no_real_purse(town: Town) -> None:
    card, blank = town.purse_card("one"), town.stock_card(seed="two")
    with town.work.begin() as unit:
        unit.terminals.terminal(DESK).training = True
        unit.commit()
    assert town.load(card).outcome == "PURSE_NOT_SERVED"
    assert town.personalise(blank).outcome == "PURSE_NOT_SERVED"


# Void ---------------------------------------------------------------------------------------


def test_an_order_is_void_only_when_its_grant_can_no_longer_arrive(town: Town) -> None:
    """A reader holds the UPDATE back: it must be dead before the money goes back."""
    card = town.purse_card()
    order = town.order(card, 5000)
    line = card.line
    shim = HeldBack(line, nth(1, ins=0xDC))
    assert town.load(card, shim).outcome == "CARD_ANSWER"
    assert town.balance(AccountKind.LOADING) == 5000

    done = town.load(card, line, order=order, purpose="void")
    for command in ("00A4080C041200B001", "0084000008", "80860000080102030405060708"):
        line.transmit(bytes.fromhex(command))
    late = shim.release()

    assert done.outcome == "LOAD_VOIDED"
    assert late == b"\x69\x88"
    assert (card.grants, town.order_state(order)) == ({}, "void")
    assert town.balance(AccountKind.COMMITTED) == 100_000
    town.check_books()


def test_the_number_of_a_void_grant_is_never_used_again(town: Town) -> None:
    card = town.purse_card()
    order = town.order(card, 5000)
    town.load(card, HeldBack(card.line, nth(1, ins=0xDC)))
    town.load(card, order=order, purpose="void")
    town.order(card, 800)

    town.load(card)

    assert town.signed() == [(1, "void"), (2, "on_card")]
    assert card.wallet() == 800


def test_an_order_that_arrived_cannot_be_made_void(town: Town) -> None:
    card = town.purse_card()
    order = town.order(card, 5000)
    town.load(card)

    done = town.load(card, order=order, purpose="void")

    assert done.outcome == "ORDER_NOT_LOADING"
    assert (card.wallet(), town.order_state(order)) == (5000, "on_card")


def test_a_void_that_finds_the_grant_on_the_card_confirms_it(town: Town) -> None:
    card = town.purse_card()
    order = town.order(card, 5000)
    lost = _LosingUplink(Uplink(town.sessions), after=3)
    with pytest.raises(ConnectionError):
        run_session(card.line, lost, LOAD)
    assert (card.wallet(), town.order_state(order)) == (5000, "loading")

    done = town.load(card, order=order, purpose="void")

    assert done.outcome == "ORDER_NOT_LOADING"
    assert (town.order_state(order), town.slot_money(card)) == ("on_card", 5000)
    assert town.load(card).outcome == "LOAD_NOTHING_WAITING"
    assert card.info.record_map == 1


class _LosingUplink:
    """The line goes dead when the station wants to send the answers of step ``after``."""

    def __init__(self, inner: Uplink, after: int) -> None:
        self._inner, self._after = inner, after

    def open(self, opening: SessionOpening):  # type: ignore[no-untyped-def]
        return self._inner.open(opening)

    def step(self, session: str, answers: SessionAnswers):  # type: ignore[no-untyped-def]
        if answers.step == self._after:
            raise ConnectionError
        return self._inner.step(session, answers)
