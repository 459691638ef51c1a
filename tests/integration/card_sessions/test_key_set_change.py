"""Key sets rolled over while cards are in the field: what changes, and what must not."""

from dataclasses import replace

import pytest

from cardlib.channel import Channel
from cardlib.codec.purse import SpendType
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import records
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.intent_rule import record_hash
from cardlib.wire.card_session import SessionOpening
from simulator.card.masks import WHITE_APPLET
from simulator.faults import (
    HeldBack,
    TearAfter,
    TearBefore,
    WrongMac,
    nth,
)
from simulator.pin_pad import CANCELS, WAITS, Act, KeypadReader, types
from terminal.agent.card_session import run_session
from tests.integration.card_sessions.bench import (
    ISSUER,
    TILL,
    Card,
    Town,
    Uplink,
)
from tests.integration.card_sessions.field_card import (
    MONEY,
    assert_renewed,
    balances,
    till_reads,
    usable_or_being_renewed,
)


def test_the_init_record_is_posted_with_nothing_from_an_attested_read(field_card: Card) -> None:
    town = field_card.town
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"

    with town.work.begin() as unit:
        purse = unit.cards.purse(field_card.purse)
        ctr = field_card.spend.ctr
        posted = [row for row in unit.verdicts.postings(purse.id, 0) if row.ctr == ctr]
        assert [(row.state, row.live, row.terminal) for row in posted] == [("proven", True, 0)]
        assert [part.cents for part in posted[0].parts] == []
        assert (purse.proven_ctr, purse.proven_hash) == (
            ctr, record_hash(field_card._file(3).records[0]),
        )  # fmt: skip


def test_a_renewed_card_is_loaded_and_sold_from(field_card: Card) -> None:
    town = field_card.town
    town.renew(field_card)
    field_card.debit(250)
    town.order(field_card, 1000)

    assert town.load(field_card).outcome == "LOAD_DONE"
    assert balances(till_reads(field_card)) == {1: 3750 - 250 + 1000, 2: 700}
    town.check_books()
    assert town.renew(field_card).outcome == "KEY_SET_CURRENT"


@pytest.mark.parametrize("number", [2, 5, 8])
def test_nothing_is_loaded_onto_a_purse_between_two_key_sets(field_card: Card, number: int) -> None:
    town = field_card.town
    town.renew(field_card, TearAfter(field_card.line, nth(number, ins=0x24)))
    town.order(field_card, 1000)

    assert town.load(field_card).outcome == "CARD_BEING_RENEWED"
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert town.load(field_card).outcome == "LOAD_DONE"
    assert balances(till_reads(field_card)) == {1: 4750, 2: 700}
    town.check_books()


class SellsInBetween:
    """A dishonest station with the new shop keys: it writes a sale of its own once the core is
    changed, the citizen's PIN still presented, and lets the change go on."""

    def __init__(self, card: Card, cents: int) -> None:
        self._card, self._line, self._cents = card, card.line, cents

    def transmit(self, apdu: bytes) -> bytes:
        answer = self._line.transmit(apdu)
        if apdu.startswith(bytes.fromhex("0CD6810C")):
            self._sell()
        return answer

    def reset(self) -> None:
        self._line.reset()

    def _sell(self) -> None:
        file, keys = self._card._file(3), self._card.town.keys
        old = PurseKeys.derive(keys.masters(ISSUER, 1), replace(self._card.info, key_set=1))
        before = records.open_spend(old.debit.record, file.records[0])
        assert before is not None
        first, two, three, four, five, six = before.spent
        sale = replace(
            before, type=SpendType.SALE, ctr=before.ctr + 1,
            spent=(first + self._cents, two, three, four, five, six),
            intent_hash=b"\x07" * 8, terminal=TILL, prev=record_hash(file.records[0])[:4],
        )  # fmt: skip
        sealed = records.seal_spend(self._card.keys.debit.record, sale)
        file.records = [sealed, *file.records[:-1]]


def test_a_record_written_in_between_is_not_written_over(field_card: Card) -> None:
    """The init record would put back what that sale took: a shop's claim, and value for all."""
    town = field_card.town

    done = town.renew(field_card, SellsInBetween(field_card, 2000))  # type: ignore[arg-type]

    assert done.outcome == "CARD_READ_BACK_DIFFERS"
    assert town.alarms() == ["CARD_READ_BACK_DIFFERS"]
    assert balances(till_reads(field_card)) == {1: 1750, 2: 700}
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(field_card)) == {1: 1750, 2: 700}
    town.check_books()


def test_a_void_that_no_till_has_told_of_yet_holds_up_no_change(field_card: Card) -> None:
    town = field_card.town
    assert town.load(field_card).outcome == "LOAD_NOTHING_WAITING"  # the sale is proven
    field_card.debit(-1250, void=True)
    assert town.renew(field_card, TearAfter(field_card.line, nth(3, ins=0x24))).outcome == (
        "CARD_GONE"
    )

    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(field_card)) == {1: 5000, 2: 700}
    assert town.load(field_card).outcome == "LOAD_NOTHING_WAITING"
    assert town.alarms() == []
    town.check_books()


def test_a_load_on_its_way_comes_before_the_change(field_card: Card) -> None:
    town = field_card.town
    town.order(field_card, 1000)
    town.load(field_card, TearBefore(field_card.line, nth(1, ins=0xDC)))

    assert town.renew(field_card).outcome == "KEY_CHANGE_LOAD_FIRST"
    assert field_card.info.key_set == 1
    assert town.load(field_card).outcome == "LOAD_DONE"
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert balances(till_reads(field_card)) == {1: 4750, 2: 700}


@pytest.mark.parametrize(("typed", "outcome"), [("", "PIN_NEEDED"), ("99999", "PIN_NEEDED")])
def test_without_the_citizens_pin_nothing_is_changed(
    field_card: Card, typed: str, outcome: str
) -> None:
    keys = field_card.key_objects

    assert field_card.town.renew(field_card, pin=typed).outcome == outcome
    assert field_card.key_objects == keys
    assert balances(till_reads(field_card)) == MONEY
    field_card.town.order(field_card, 1000)
    assert field_card.town.load(field_card).outcome == "LOAD_DONE"


def test_a_card_that_shows_more_than_the_books_is_not_renewed(field_card: Card) -> None:
    keys, town = field_card.key_objects, field_card.town
    town.load(field_card)  # the card tells of its sale, the books follow
    field_card.debit(-200)

    assert town.renew(field_card).outcome == "CARD_ABOVE_LEDGER"
    assert field_card.key_objects == keys


def test_a_till_with_the_old_set_only_never_writes(field_card: Card) -> None:
    town = field_card.town
    town.renew(field_card, TearAfter(field_card.line, nth(1, ins=0x24)))
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        till_reads(field_card, sets=(1,))
    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        till_reads(field_card, sets=(1, 2))
    town.renew(field_card)
    with pytest.raises(PurseRefusedError, match="PURSE_NOT_SERVED"):
        till_reads(field_card, sets=(1,))


def test_a_chip_that_writes_its_records_itself_is_left_alone(town: Town) -> None:
    card = town.purse_card("applet", mask=WHITE_APPLET)
    town.begin_key_set()
    keys = card.key_objects

    assert town.renew(card).outcome == "KEY_CHANGE_NEW_CARD"
    assert card.key_objects == keys


def test_a_purse_at_its_last_counter_is_not_begun_with(field_card: Card) -> None:
    file, before = field_card._file(3), field_card.spend
    last = replace(before, ctr=0xFFFFFF, intent_hash=bytes(8))
    file.records = [records.seal_spend(field_card.keys.debit.record, last), *file.records[:-1]]
    keys = field_card.key_objects

    assert field_card.town.renew(field_card).outcome == "PURSE_FULL"
    assert field_card.key_objects == keys


@pytest.mark.parametrize("number", [1, 4, 8])
def test_a_key_held_back_dies_with_the_next_session(field_card: Card, number: int) -> None:
    town = field_card.town
    shim = HeldBack(field_card.line, nth(number, ins=0x24))
    town.renew(field_card, shim)
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    keys = field_card.key_objects
    for command in ("00A4080C041200B001", "0084000008", "80860000080102030405060708"):
        shim.transmit(bytes.fromhex(command))

    assert shim.release() == b"\x69\x88"
    assert field_card.key_objects == keys
    assert_renewed(field_card)


@pytest.mark.parametrize("number", [1, 5, 8])
def test_a_key_whose_confirmation_is_forged_is_changed_again(field_card: Card, number: int) -> None:
    town = field_card.town
    forged = WrongMac(field_card.line, nth(number, ins=0x24))

    assert town.renew(field_card, forged).outcome == "CARD_MAC_BAD"
    usable_or_being_renewed(field_card)
    assert town.renew(field_card).outcome == "KEY_SET_CHANGED"
    assert_renewed(field_card)


@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        (("right",), "KEY_SET_CHANGED"),
        (("99999", "right"), "KEY_SET_CHANGED"),
        ((CANCELS,), "PIN_NEEDED"),
        ((WAITS,), "PIN_NEEDED"),
        (("99999", "99999", "99999"), "PIN_BLOCKED"),
    ],
)
def test_the_pin_is_typed_on_the_readers_keypad_where_it_has_one(
    field_card: Card, acts: tuple[str | Act, ...], outcome: str
) -> None:
    typed = [
        types(field_card.pin if act == "right" else act) if isinstance(act, str) else act
        for act in acts
    ]
    reader = KeypadReader(field_card.line, typed)
    opening, way = SessionOpening("renew", ""), Uplink(field_card.town.sessions)

    assert run_session(Channel(reader), way, opening).outcome == outcome
    assert field_card.info.key_set == (2 if outcome == "KEY_SET_CHANGED" else 1)
