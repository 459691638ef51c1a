"""The backend dies before or after any commit, starts again, and nothing is lost or twice."""

from functools import partial

import pytest

from backend.domain.ledger import AccountKind
from cardlib.wire.card_session import SessionOpening
from simulator.town.actors.operator import Operator
from simulator.town.hall import Hall, Side
from simulator.town.killed import Killed
from simulator.town.line import ALL_FAULTS, LineFault
from simulator.town.randomness import SeededRandomness
from terminal.agent.errors import SyncError
from tests.town.place import Card, Place, Shop

SIDES: tuple[Side, Side] = ("before", "after")
COMMITS_OF_A_ROUND = 3
"""The upload; for the bundle its nonce and its publication."""


def loaded(place: Place, shop: Shop, seed: str = "card") -> Card:
    card = place.card(shop, seed=seed)
    place.order(card, 5000)
    assert shop.session(card, SessionOpening("load", "")).outcome == "LOAD_DONE"
    return card


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("commit", range(1, COMMITS_OF_A_ROUND + 1))
def test_an_upload_survives_the_death_of_the_hall(place: Place, commit: int, side: Side) -> None:
    shop = place.shop()
    card = loaded(place, shop)
    assert shop.sell(card, 700).goods_are_due
    place.hall.kill_at(commit, side)
    assert shop.sync(beat=False).problem == "SERVICE_UNREACHABLE"
    assert place.hall.deaths == 1
    assert shop.sync(beat=False).problem == "SERVICE_UNREACHABLE", "nobody has started it"
    place.hall.restart()
    shop.sync_until_done()
    assert shop.received() == shop.entries()
    assert (place.cents(AccountKind.PAYABLE), place.cents(AccountKind.ON_CARD)) == (700, 4300)
    assert place.alarms() == set()


@pytest.mark.parametrize("side", SIDES)
def test_a_load_survives_the_death_of_the_hall_at_every_commit(place: Place, side: Side) -> None:
    shop = place.shop()
    card = loaded(place, shop)
    load = partial(shop.session, card, SessionOpening("load", ""))
    order = place.order(card, 100)
    before = place.hall.work.commits
    assert load().outcome == "LOAD_DONE"
    commits = place.hall.work.commits - before
    for number in range(1, commits + 1):
        order = place.order(card, 100)
        place.hall.kill_at(number, side)
        with pytest.raises(SyncError):
            load()
        place.hall.restart()
        load()
        assert place.order_state(order) == "on_card", (number, side)
    total = 5000 + 100 * (commits + 1)
    assert (place.cents(AccountKind.ON_CARD), place.cents(AccountKind.LOADING)) == (total, 0)
    assert shop.sell(card, total).goods_are_due
    assert place.alarms() == set()


def test_a_use_case_that_dies_leaves_nothing_behind(place: Place) -> None:
    merchants = place.hall.backend.merchants
    place.hall.kill_at(1, "before")
    with pytest.raises(Killed):
        merchants.register("Forno", "IT60X0542811101000000123456")
    place.hall.died()
    place.hall.restart()
    assert merchants.register("Forno", "IT60X0542811101000000123456") == place.merchant + 1


def test_a_doubled_step_of_a_card_session_does_not_end_it(place: Place) -> None:
    shop = place.shop()
    card = place.card(shop)
    for number in (1, 2, 3):
        place.order(card, 1000)
        shop.line.fault_at(number, ALL_FAULTS.index(LineFault.DOUBLED))
        assert shop.session(card, SessionOpening("load", "")).outcome == "LOAD_DONE"
        shop.clock.sleep(130)
    assert place.cents(AccountKind.ON_CARD) == 3000


def test_a_copy_of_the_database_is_put_back_as_it_was(place: Place) -> None:
    backup = place.hall.backup()
    merchant = partial(
        place.hall.backend.merchants.register, "Forno", "IT60X0542811101000000123456"
    )
    first = merchant()
    place.hall.restore(backup)
    assert merchant() == first


def test_a_recovery_whose_end_was_noted_before_the_backend_died_is_over(place: Place) -> None:
    operator = Operator(place.hall)
    place.hall.restore(place.hall.backup())
    assert [operator.end_recovery() for _ in range(2)] == [True, True]


def test_two_halls_know_nothing_of_each_other(place: Place) -> None:
    other = Hall(place.hall.backend.clock, SeededRandomness(2))
    other.backend.programmes.set_up("Altro consorzio")
    with other.work.begin() as unit:
        assert unit.programmes.municipalities() == []
    other.close()
