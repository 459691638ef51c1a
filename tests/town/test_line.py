"""A till's real agent and real card sessions over a line on which everything goes wrong."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cardlib.wire.card_session import SessionCommands, SessionOpening
from simulator.town.clock import TownTime
from simulator.town.line import ALL_FAULTS, LineFault
from terminal.agent.errors import SyncError
from tests.town.place import START_MS, Place, Shop

SALES, ENTRIES = 25, 300
BATCH, INSERTIONS_MAX = 10, 60


def busy_shop(place: Place) -> Shop:
    """A shop with 300 entries and 25 sales, of which the hall knows nothing yet."""
    shop = place.shop()
    card = place.card(shop)
    place.order(card, 10_000)
    assert shop.session(card, SessionOpening("load", "")).outcome == "LOAD_DONE"
    for count in range(SALES):
        assert shop.sell(card, 100 + count).goods_are_due
        shop.write(2)
    shop.write(ENTRIES - len(shop.entries()))
    return shop


def test_a_journal_arrives_once_and_in_order_whatever_the_line_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terminal.agent.step.BATCH_ENTRIES_MAX", BATCH)
    perfect, bad = carried(tmp_path / "perfect", 0.0), carried(tmp_path / "bad", 0.7)
    assert perfect == bad


def carried(directory: Path, density: float) -> tuple[int, bytes]:
    """The head of the ledger after a busy shop's journal came over such a line."""
    directory.mkdir()
    place = Place(directory, hall_time=TownTime(START_MS))
    shop = busy_shop(place)
    shop.line.begin("journal")
    shop.line.density = density
    rounds = shop.sync_until_done(lambda: deliver(place, shop), batch=BATCH)
    shop.line.density = 0.0
    shop.line.deliver_held()
    assert shop.received() == shop.entries()
    assert len(shop.entries()) == ENTRIES
    assert rounds == 1 if not density else len(shop.line.counts) > len(ALL_FAULTS)
    head = place.ledger_head()
    place.hall.close()
    return head


def deliver(place: Place, shop: Shop) -> None:
    shop.line.deliver_held(place.time.now_ms)


@pytest.mark.parametrize("fault", ALL_FAULTS)
def test_after_each_single_fault_the_journal_arrives(place: Place, fault: LineFault) -> None:
    shop = place.shop()
    shop.write(3)
    shop.line.fault_at(1, ALL_FAULTS.index(fault))
    shop.sync_until_done(lambda: deliver(place, shop))
    shop.line.deliver_held()
    assert shop.received() == shop.entries()
    assert shop.line.counts[fault] == 1
    assert place.alarms() == set()


def test_an_old_upload_that_arrives_after_newer_ones_changes_nothing(place: Place) -> None:
    shop = place.shop()
    shop.write(3)
    shop.line.fault_at(1, ALL_FAULTS.index(LineFault.HELD_BACK))
    assert shop.sync(beat=False).problem == "SERVICE_UNREACHABLE"
    shop.write(3)
    shop.sync_until_done()
    assert shop.line.held == 1
    assert shop.line.deliver_held() == 1
    assert shop.received() == shop.entries()
    assert place.alarms() == set()


def test_a_card_is_loaded_once_over_a_bad_line(place: Place) -> None:
    shop = place.shop()
    for count in range(3):
        card = place.card(shop, seed=f"card {count}")
        order = place.order(card, 5000)
        shop.line.begin(f"load {count}")
        shop.line.density = 0.5
        load = partial(shop.session, card, SessionOpening("load", ""))
        outcomes = until_done(place, shop, load)
        shop.line.density = 0.0
        shop.line.deliver_held()
        assert load().outcome == "LOAD_NOTHING_WAITING"
        assert shop.sell(card, 5000).goods_are_due
        assert place.order_state(order) == "on_card"
        assert outcomes[-1] in {"LOAD_DONE", "LOAD_NOTHING_WAITING"}
    assert place.alarms() == set()


def until_done(place: Place, shop: Shop, load: Callable[[], SessionCommands]) -> list[str]:
    """The card is put in again until there is nothing left to load."""
    outcomes: list[str] = []
    for _ in range(INSERTIONS_MAX):
        try:
            outcomes.append(load().outcome)
        except SyncError as error:
            outcomes.append(error.code)
        deliver(place, shop)
        shop.clock.sleep(130)
        if outcomes[-1] in {"LOAD_DONE", "LOAD_NOTHING_WAITING"}:
            return outcomes
    raise AssertionError(outcomes)


def test_a_line_that_is_down_carries_nothing(place: Place) -> None:
    shop = place.shop()
    shop.write(1)
    shop.line.up = lambda: False
    assert shop.sync(beat=False).problem == "SERVICE_UNREACHABLE"
    assert shop.received() == []
    assert shop.line.counts["down"] == 1


def test_the_same_seed_spoils_the_same_requests(tmp_path: Path) -> None:
    counts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        place = Place(tmp_path / name)
        shop = place.shop()
        shop.write(30)
        shop.line.density = 0.6
        shop.sync_until_done()
        counts.append((shop.line.counts, place.time.now_ms))
        place.hall.close()
    assert counts[0] == counts[1]
