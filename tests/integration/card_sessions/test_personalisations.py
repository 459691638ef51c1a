"""Personalisation as a desk sees it: stock, torn cards, whose CRS it is."""

from itertools import product

import pytest

from cardlib.codec.commands import select_purse
from cardlib.codec.pin import Pin
from cardlib.dialogues.pin import verify
from cardlib.dialogues.volley import converse
from cardlib.wire.card_session import SessionOpening
from simulator.card.masks import CRS_STINCARD
from simulator.card.personal import Holder
from simulator.faults import AlteredAnswer, TearAfter, TearBefore, every, nth
from terminal.agent.card_session import run_session
from tests.cases import chosen
from tests.integration.card_sessions.bench import (
    DyingWork,
    RestartingUplink,
    Town,
    Uplink,
)

SOME_CASES = 8

COMMANDS = 64


def purses(town: Town) -> int:
    with town.work.begin() as unit:
        return len(unit.cards.purses())


def test_a_stock_card_becomes_a_purse_with_a_letter(town: Town) -> None:
    card = town.stock_card()

    done = town.personalise(card)

    assert (done.outcome, done.purse) == ("PURSE_MADE", str(card.purse))
    pin, _ = town.letters.sent[card.purse]
    line = card.line
    line.transmit(bytes(select_purse(0xB001)))
    converse(verify(Pin(pin)), line.transmit)
    with town.work.begin() as unit:
        purse = unit.cards.purse(card.purse)
        stock = unit.cards.stock_card(card.serial)
        assert (stock.state, stock.purse_id) == ("personalised", purse.id)
        assert (purse.proven_ctr, purse.proven_hash is None) == (0, False)


def test_pin_and_seed_are_erased_once_the_card_has_its_purse(town: Town) -> None:
    card = town.purse_card()
    pin, puk = town.letters.sent[card.purse]
    with town.work.begin() as unit:
        sessions = unit.cards.sessions_of(unit.cards.purse(card.purse).id)
        assert [(item.plan, item.seed) for item in sessions] == [(None, b"")]
        stored = b"".join(
            step.answers + step.reply
            for item in sessions
            for step in unit.cards.session_steps(item.id)
        )
    assert pin.encode() not in stored
    assert puk.encode() not in stored


@pytest.mark.parametrize(
    ("kind", "number"),
    chosen(
        product([TearBefore, TearAfter], range(1, COMMANDS + 1)),
        [
            *((TearBefore, number) for number in range(1, COMMANDS + 1, 6)),
            *((TearAfter, number) for number in range(4, COMMANDS + 1, 6)),
        ],
    ),
)
def test_a_torn_personalisation_goes_on_with_the_same_purse(
    town: Town, kind: type[TearBefore] | type[TearAfter], number: int
) -> None:
    """After a command the card is as before the next: every third is torn, one way or the other.

    The card is written again from its beginning, so it makes no difference how far it was.
    """
    card = town.stock_card()

    torn = town.personalise(card, kind(card.line, nth(number)))
    done = town.personalise(card)

    assert (torn.outcome, done.outcome) == ("CARD_GONE", "PURSE_MADE")
    assert purses(town) == 1
    assert list(town.letters.sent) == [card.purse]
    assert town.load(card).outcome == "LOAD_NOTHING_WAITING"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 12, 21, 22])
def test_a_backend_killed_in_a_personalisation_goes_on(
    town: Town, number: int, after: bool
) -> None:
    card = town.stock_card()
    dying = town.backend(DyingWork(town.work, number, after=after))
    uplink = RestartingUplink(dying, town.backend(town.work))

    done = run_session(card.line, uplink, SessionOpening("personalise", card.serial))

    assert (done.outcome, uplink.deaths) == ("PURSE_MADE", 1)
    assert purses(town) == 1


def test_a_card_is_used_once(town: Town) -> None:
    card = town.purse_card()
    assert town.personalise(card).outcome == "STOCK_CARD_USED"
    assert purses(town) == 1


def test_the_card_must_be_the_one_of_the_serial(town: Town) -> None:
    one, other = town.stock_card(seed="one"), town.stock_card(seed="two")
    opening = SessionOpening("personalise", one.serial)
    done = run_session(other.line, Uplink(town.sessions), opening)
    assert (done.outcome, purses(town)) == ("STOCK_CARD_DIFFERS", 0)


def test_a_card_that_pretends_to_be_another_gets_no_keys(town: Town) -> None:
    """A shim shows another card's serial: the transport keys tell."""
    one, other = town.stock_card(seed="one"), town.stock_card(seed="two")
    shim = AlteredAnswer(
        other.line,
        nth(1, ins=0xB0),
        lambda answer: answer[:2] + bytes.fromhex(one.serial) + answer[10:],
    )
    sent: list[int] = []

    class Noting(AlteredAnswer):
        def transmit(self, apdu: bytes) -> bytes:
            sent.append(apdu[1])
            return super().transmit(apdu)

    line = Noting(shim, every(0xFF), lambda answer: answer)
    opening = SessionOpening("personalise", one.serial)
    done = run_session(line, Uplink(town.sessions), opening)

    assert done.outcome == "TRANSPORT_KEY_WRONG"
    assert town.alarms() == ["TRANSPORT_KEY_WRONG"]
    assert 0xDA not in sent


def test_a_crs_shows_whose_it_is(town: Town) -> None:
    card = town.stock_card(CRS_STINCARD)
    reference = f"{card.serial}/{Holder().codice_fiscale}"

    done = run_session(card.line, Uplink(town.sessions), SessionOpening("personalise", reference))

    assert done.outcome == "PURSE_MADE"


def test_a_crs_of_somebody_else_is_refused(town: Town) -> None:
    card = town.stock_card(CRS_STINCARD)
    opening = SessionOpening("personalise", f"{card.serial}/BNCLCU80A01L872X")
    done = run_session(card.line, Uplink(town.sessions), opening)
    assert (done.outcome, purses(town)) == ("HOLDER_DIFFERS", 0)


def test_a_crs_whose_personal_data_were_changed_is_refused(town: Town) -> None:
    card = town.stock_card(CRS_STINCARD)
    holder = card.memory.find((0x1100,))
    assert holder is not None
    data = holder.file(0x1102)
    assert data is not None
    data.records[0] = data.content.replace(b"MARIA", b"MARTA")

    assert town.personalise(card).outcome == "HOLDER_NOT_PROVEN"
    assert purses(town) == 0
