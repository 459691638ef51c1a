"""The backend was restored from an older backup: what it forgot comes back as evidence."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.commands.recovery import recovery_app
from backend.composition import Backend
from backend.domain.ledger import AccountKind
from backend.errors import ConflictError, NotPermittedError
from cardlib.codec.pin import Pin
from cardlib.wire.card_session import SessionOpening
from simulator.town.killed import Killed
from simulator.town.line import ALL_FAULTS, LineFault
from terminal.agent.loop import Agent
from terminal.counter import Counter as TillCounter
from tests.town.place import APPROVER, ISSUER, LOADER, Card, Place, Shop

LOAD = SessionOpening("load", "")


@pytest.fixture
def shop(place: Place) -> Shop:
    return place.shop()


@pytest.fixture
def card(place: Place, shop: Shop) -> Card:
    card = place.card(shop)
    place.order(card, 5000)
    assert load(shop, card) == "LOAD_DONE"
    return card


def load(shop: Shop, card: Card) -> str:
    shop.clock.sleep(130)
    return shop.session(card, LOAD).outcome


def end(place: Place, *without: int) -> None:
    place.hall.backend.recovery.end(
        requested_by=LOADER, approved_by=APPROVER, act="Verbale 1", without=without
    )


def test_what_tills_had_uploaded_comes_again(place: Place, shop: Shop, card: Card) -> None:
    shop.sell(card, 700)
    shop.sync_until_done()
    backup = place.hall.backup()
    shop.sell(card, 300)
    shop.sync_until_done()
    place.hall.restore(backup)
    assert place.cents(AccountKind.PAYABLE) == 700
    shop.sync_until_done()
    assert shop.received() == shop.entries()
    assert place.cents(AccountKind.PAYABLE) == 1000
    assert place.alarms() == set()


def test_an_agent_that_dies_on_the_way_back_goes_on_from_there(
    place: Place, shop: Shop, card: Card
) -> None:
    backup = place.hall.backup()
    shop.sell(card, 700)
    shop.sync_until_done()
    place.hall.restore(backup)

    def die(step: str) -> None:
        if step == "acknowledged":
            raise Killed

    till = shop.load()
    with shop.uplink(till) as uplink, pytest.raises(Killed):
        Agent(till, uplink, shop.clock, shop.randomness, checkpoint=die).round(beat_due=False)
    with till.read_journal() as reader:
        assert reader.acknowledgements.pending_count() == len(shop.entries())
    shop.sync_until_done()
    assert shop.received() == shop.entries()


def test_tills_take_the_bundles_of_a_restored_backend(place: Place, shop: Shop) -> None:
    backup = place.hall.backup()
    for bit in (1, 2, 3):
        place.hall.backend.programmes.name_category(bit, f"merce {bit}", f"goods {bit}")
        shop.sync_until_done()
    before = shop.load().trust.bundle
    place.hall.restore(backup)
    shop.sync_until_done()
    after = shop.load().trust.bundle
    assert before is not None
    assert after is not None
    assert after.version > before.version
    assert after.hotlist_version > before.hotlist_version
    assert len(after.categories) == len(before.categories) - 3


def test_nothing_is_signed_until_every_till_has_told_all(
    place: Place, shop: Shop, card: Card
) -> None:
    other = place.shop("other")
    place.order(card, 1000)
    place.hall.restore(place.hall.backup())
    assert load(shop, card) == "BACKEND_IN_RECOVERY"
    assert shop.sell(card, 100).goods_are_due, "sales need no backend"
    shop.sync()
    assert place.hall.backend.recovery.waiting() == [other.number]
    with pytest.raises(ConflictError, match="RECOVERY_WAITS"):
        end(place)
    other.sync()
    other.sync()
    end(place)
    assert load(shop, card) == "LOAD_DONE"


def test_a_till_that_never_comes_back_is_named_by_two_people(place: Place, card: Card) -> None:
    gone = place.shop("gone")
    place.hall.restore(place.hall.backup())
    recovery, waiting = place.hall.backend.recovery, place.hall.backend.recovery.waiting()
    assert gone.number in waiting
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        recovery.end(requested_by=LOADER, approved_by=LOADER, act="V", without=waiting)
    end(place, *waiting)
    with pytest.raises(ConflictError, match="RECOVERY_NONE"):
        recovery.waiting()


def test_a_forgotten_load_is_known_again_by_its_signature(
    place: Place, shop: Shop, card: Card
) -> None:
    order = place.order(card, 1000)
    backup = place.hall.backup()
    assert load(shop, card) == "LOAD_DONE"
    signed = place.signed(card)
    place.hall.restore(backup)
    assert place.order_state(order) == "approved"
    assert load(shop, card) == "LOAD_DONE", "during the recovery: nothing new is signed"
    assert (place.order_state(order), place.signed(card)) == ("on_card", signed)
    assert place.cents(AccountKind.ON_CARD) == 6000
    assert load(shop, card) == "LOAD_NOTHING_WAITING"
    assert shop.sell(card, 6000).goods_are_due
    shop.sync()
    assert place.cents(AccountKind.PAYABLE) == 6000
    assert place.alarms() == set()


def test_a_sale_under_a_forgotten_grant_is_paid(place: Place, shop: Shop, card: Card) -> None:
    place.order(card, 1000)
    backup = place.hall.backup()
    assert load(shop, card) == "LOAD_DONE"
    assert shop.sell(card, 5500).goods_are_due
    shop.sync()
    place.hall.restore(backup)
    shop.sync()
    assert shop.received() == shop.entries()
    assert (place.cents(AccountKind.PAYABLE), place.cents(AccountKind.SUSPENSE)) == (5500, 0)
    assert place.cents(AccountKind.ON_CARD) == 500
    assert place.alarms() == set()


def test_two_forgotten_loads_come_back_as_the_tills_saw_them(
    place: Place, shop: Shop, card: Card
) -> None:
    backup = place.hall.backup()
    first, second = place.order(card, 1000), place.order(card, 300)
    backup = place.hall.backup()
    for cents in (5100, 700):
        assert load(shop, card) == "LOAD_DONE"
        assert shop.sell(card, cents).goods_are_due
    shop.sync()
    place.hall.restore(backup)
    shop.sync()
    assert [place.order_state(order) for order in (first, second)] == ["on_card", "on_card"]
    assert (place.cents(AccountKind.PAYABLE), place.cents(AccountKind.ON_CARD)) == (5800, 500)


def two_loads_of_one_visit(place: Place, shop: Shop, card: Card) -> list[int]:
    """Ordered before the copy, fetched one after the other after it; then a sale of 60 euro."""
    orders = [place.order(card, 1000), place.order(card, 300)]
    backup = place.hall.backup()
    assert [load(shop, card) for _ in orders] == ["LOAD_DONE"] * 2
    assert shop.sell(card, 6000).goods_are_due
    shop.sync()
    place.hall.restore(backup)
    return orders


def test_of_two_forgotten_loads_of_one_visit_the_till_saw_the_second_alone(
    place: Place, shop: Shop, card: Card
) -> None:
    before = place.signed(card)
    orders = two_loads_of_one_visit(place, shop, card)
    shop.sync()
    assert place.alarms() == set()
    assert [place.order_state(order) for order in orders] == ["on_card", "on_card"]
    assert [state for _, state in place.signed(card)] == ["superseded", "superseded", "on_card"]
    assert len(before) == 1
    assert (place.cents(AccountKind.PAYABLE), place.cents(AccountKind.ON_CARD)) == (6000, 300)
    assert place.cents(AccountKind.SUSPENSE) == 0


def test_two_forgotten_loads_of_one_visit_are_read_from_the_card(
    place: Place, shop: Shop, card: Card
) -> None:
    orders = [place.order(card, 1000), place.order(card, 300)]
    backup = place.hall.backup()
    assert [load(shop, card) for _ in orders] == ["LOAD_DONE"] * 2
    signed = place.signed(card)
    with place.hall.work.begin() as unit:
        bytes_signed = [row.signature for row in unit.cards.grants_of(1)]
    place.hall.restore(backup)
    assert load(shop, card) == "LOAD_DONE"
    assert [place.order_state(order) for order in orders] == ["on_card", "on_card"]
    assert place.signed(card) == signed
    with place.hall.work.begin() as unit:
        assert [row.signature for row in unit.cards.grants_of(1)] == bytes_signed
    assert place.cents(AccountKind.ON_CARD) == 6300
    assert shop.sell(card, 6300).goods_are_due


def test_two_sums_that_would_fit_are_left_to_people(place: Place, shop: Shop, card: Card) -> None:
    for cents in (1000, 300):
        place.order(card, cents)
    backup = place.hall.backup()
    assert [load(shop, card) for _ in range(2)] == ["LOAD_DONE"] * 2
    place.hall.restore(backup)
    others = [place.order(card, cents) for cents in (900, 400)]
    assert load(shop, card) == "GRANT_UNKNOWN"
    assert [place.order_state(order) for order in others] == ["approved", "approved"]


def test_no_number_of_a_grant_is_signed_twice(place: Place, shop: Shop, card: Card) -> None:
    """The grant that the copy forgot is still held back somewhere: it never reached the card."""
    order = place.order(card, 1000)
    backup = place.hall.backup()
    shop.line.fault_at(3, ALL_FAULTS.index(LineFault.ANSWER_LOST))
    shop.line.up = lambda: shop.line.counts["answer_lost"] == 0
    with pytest.raises(Exception, match="SERVICE_UNREACHABLE"):
        shop.session(card, LOAD)
    shop.line.up = lambda: True
    (forgotten,) = {number for number, state in place.signed(card) if state == "loading"}
    place.hall.restore(backup)
    shop.sync()
    shop.sync()
    end(place)
    assert load(shop, card) == "LOAD_DONE"
    numbers = [number for number, _ in place.signed(card)]
    assert forgotten not in numbers
    assert max(numbers) > forgotten
    assert place.order_state(order) == "on_card"
    assert shop.sell(card, 6000).goods_are_due


def test_a_forgotten_load_without_its_order_waits_for_a_person(
    place: Place, shop: Shop, card: Card
) -> None:
    backup = place.hall.backup()
    place.order(card, 1000)
    assert load(shop, card) == "LOAD_DONE"
    place.hall.restore(backup)
    assert load(shop, card) == "GRANT_UNKNOWN"
    again = place.order(card, 1000)
    assert load(shop, card) == "LOAD_DONE", "the order was found on paper and approved again"
    assert place.order_state(again) == "on_card"


def test_a_wallet_that_the_copy_has_forgotten_is_renewed_with_the_others(
    place: Place, shop: Shop, card: Card
) -> None:
    """Nobody has spent from it since, so no till could tell of it."""
    order = place.order(card, 1000)
    backup = place.hall.backup()
    assert load(shop, card) == "LOAD_DONE"
    place.hall.restore(backup)
    shop.sync_until_done()
    place.announce_keys(shop)
    end(place)
    place.hall.backend.key_sets.begin(ISSUER, APPROVER)

    renewed = shop.session(card, SessionOpening("renew", ""), Pin(card.pin))

    assert renewed.outcome == "KEY_SET_CHANGED"

    assert (place.order_state(order), place.alarms()) == ("on_card", set())
    assert shop.sell(card, 6000).goods_are_due


def test_without_a_restored_copy_a_strange_grant_is_not_taken(
    place: Place, shop: Shop, card: Card
) -> None:
    order = place.order(card, 1000)
    backup = place.hall.backup()
    assert load(shop, card) == "LOAD_DONE"
    place.hall.restore(backup, declared=False)
    assert load(shop, card) == "GRANT_UNKNOWN"
    assert place.order_state(order) == "approved"


def test_terminal_numbers_are_not_given_out_twice(place: Place) -> None:
    backup = place.hall.backup()
    forgotten = place.shop("new").number
    place.hall.restore(backup)
    assert place.shop("newer").number > forgotten


def test_a_purse_made_after_the_copy_is_known_again(place: Place, shop: Shop) -> None:
    backup = place.hall.backup()
    card = place.card(shop, seed="later")
    place.order(card, 1000)
    assert load(shop, card) == "LOAD_DONE"
    assert shop.sell(card, 400).goods_are_due
    place.hall.restore(backup)
    shop.sync()
    assert place.cents(AccountKind.PAYABLE) == 0, "what it may spend is on no record yet"
    order = place.order(card, 1000)
    assert load(shop, card) == "LOAD_DONE"
    assert place.order_state(order) == "on_card"
    assert (place.cents(AccountKind.PAYABLE), place.cents(AccountKind.ON_CARD)) == (400, 600)
    assert place.alarms() == {"PURSE_FORGOTTEN", "GRANT_NOT_OURS"}, "for a person to look at"


def test_without_a_recovery_no_purse_is_made_of_a_strange_card(place: Place, shop: Shop) -> None:
    backup = place.hall.backup()
    card = place.card(shop, seed="later")
    place.hall.restore(backup, declared=False)
    assert load(shop, card) == "PURSE_UNKNOWN"


def test_a_till_enrolled_after_the_copy_is_readmitted_by_its_certificate(place: Place) -> None:
    backup = place.hall.backup()
    shop = place.shop("new")
    shop.write(3)
    shop.sync()
    place.hall.restore(backup)
    assert shop.sync().problem == "TERMINAL_PERHAPS_UNKNOWN"
    certificate = shop.files.storage.read(shop.files.certificate)
    recovery = place.hall.backend.recovery
    with pytest.raises(NotPermittedError, match="SAME_PERSON"):
        recovery.readmit(certificate, act="x", requested_by=LOADER, approved_by=LOADER)
    for _ in range(2):
        number = recovery.readmit(
            certificate, act="Verbale 1", requested_by=LOADER, approved_by=APPROVER
        )
        assert number == shop.number
    assert recovery.waiting() == [shop.number]
    shop.sync()
    shop.sync()
    assert shop.received() == shop.entries()
    assert recovery.waiting() == []


def test_the_operator_types_a_recovery_from_its_beginning_to_its_end(
    place: Place, shop: Shop
) -> None:
    @contextmanager
    def opened(_directory: Path) -> Generator[Backend]:
        yield place.hall.backend

    def types(*arguments: str) -> str:
        result = CliRunner().invoke(recovery_app(opened), [*arguments, "--lang", "en"])
        return result.output

    place.hall.restore(place.hall.backup(), declared=False)
    assert "No recovery is going on" in types("status")
    assert "Recovery 1 is declared" in types("begin", "--by", "olga")
    assert f"not sent everything yet: {shop.number}." in types("status")
    people = ("--by", LOADER, "--approved-by", APPROVER, "--act", "Verbale 1")
    assert f"not sent everything yet: {shop.number}." in types("end", *people)
    assert f"Till {shop.number} is readmitted" in types(
        "readmit", str(shop.files.certificate), *people
    )
    assert "loads and payments go on" in types("end", *people, "--without", str(shop.number))


def test_a_forgotten_grant_is_not_taken_for_an_order_of_another_amount(
    place: Place, shop: Shop, card: Card
) -> None:
    backup = place.hall.backup()
    place.order(card, 1000)
    assert load(shop, card) == "LOAD_DONE"
    place.hall.restore(backup)
    other = place.order(card, 500)
    assert load(shop, card) == "GRANT_UNKNOWN"
    assert place.order_state(other) == "approved"


def test_a_grant_above_the_skipped_numbers_is_a_strange_one(
    place: Place, shop: Shop, card: Card
) -> None:
    place.hall.restore(place.hall.backup())
    end(place, *place.hall.backend.recovery.waiting())
    order = place.order(card, 1000)
    backup = place.hall.backup()
    assert load(shop, card) == "LOAD_DONE"
    place.hall.restore(backup, declared=False)
    assert load(shop, card) == "GRANT_UNKNOWN"
    assert place.order_state(order) == "approved"


def test_a_card_above_the_restored_ledger_loses_nothing(
    place: Place, shop: Shop, card: Card
) -> None:
    """A void after the copy: the card has more than the copy knows, until the till tells."""
    shop.sell(card, 700)
    shop.sync()
    backup = place.hall.backup()
    void_last(shop, card)
    shop.sync()
    place.hall.restore(backup)
    assert place.cents(AccountKind.ON_CARD) == 4300
    shop.sync()
    shop.sync()
    end(place)
    place.order(card, 1000)
    assert load(shop, card) == "LOAD_DONE"
    assert (place.cents(AccountKind.ON_CARD), place.cents(AccountKind.PAYABLE)) == (6000, 0)
    assert shop.sell(card, 6000).goods_are_due
    assert place.alarms() == set()


def void_last(shop: Shop, card: Card) -> None:
    till = shop.load()
    till.take_journal(till.open_journal())
    with till:
        counter = TillCounter(till)
        with counter.sale(counter.card(card.line)) as sale:
            sale.read()
            sale.void()
            sale.agree(Pin(card.pin))
            sale.commit()
            sale.finish()
