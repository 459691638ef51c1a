"""An agent killed, or without power, at every durable step of a round."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import count
from random import Random
from typing import Literal

import pytest

from backend.services.administration.programmes import NewProgramme
from simulator.town.disk import SimulatedDisk
from simulator.town.killed import Killed
from terminal.agent.loop import Agent
from tests.town.place import ISSUER, Place, Shop

STEPS_AT_LEAST = 8
"""Heartbeat, acknowledgement, three of the bundle, its row, and tidying up."""


@dataclass
class AfterHours:
    """A till that nobody sells with, and its disk; there is always news for its agent."""

    place: Place
    disk: SimulatedDisk
    shop: Shop
    numbers: "count[int]"

    def news(self) -> None:
        """An entry to send and a bundle to fetch."""
        self.shop.write(1)
        number = next(self.numbers)
        programme = NewProgramme(number, "Altro", (0,), date(2026, 1, 1), date(2027, 12, 31))
        self.place.hall.backend.programmes.create_programme(ISSUER, programme)

    def assert_whole(self) -> None:
        """What the hall has is what is here; no bundle is noted that is not here."""
        entries, received = self.shop.entries(), self.shop.received()
        assert received == entries[: len(received)]
        till = self.shop.load()
        assert till.trust.bundle is not None
        with till.read_journal() as reader:
            assert reader.acknowledgements.bundle_version() <= till.trust.bundle.version
            assert reader.check().good


@pytest.fixture
def after_hours(place: Place) -> AfterHours:
    disk = SimulatedDisk()
    return AfterHours(place, disk, place.shop("till", storage=disk), count(13))


def test_what_the_agent_has_sent_survives_the_next_power_cut(after_hours: AfterHours) -> None:
    """The till died between write and sync, and the agent's round came before the next till."""
    disk, shop = after_hours.disk, after_hours.shop

    def die(step: str) -> None:
        if step == "answered":
            disk.kill()
            raise Killed

    for step in range(1, 12):
        disk.kill_at(step, "before")
        with suppress(Killed):
            shop.write(1)
        disk.restart()
        till = shop.load()
        with suppress(Killed), shop.uplink(till) as uplink:
            agent = Agent(till, uplink, shop.clock, shop.randomness, checkpoint=die)
            agent.round(beat_due=False)
        disk.power_cut(Random(step))
        disk.restart()
        after_hours.assert_whole()


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("side", ["before", "after"])
def test_an_agent_killed_at_any_durable_step_loses_and_doubles_nothing(
    after_hours: AfterHours, side: Literal["before", "after"], cut: bool
) -> None:
    disk, shop, rng = after_hours.disk, after_hours.shop, Random(f"{side} {cut}")
    for step in count(1):
        after_hours.news()
        disk.kill_at(step, side)
        with suppress(Killed):
            shop.sync()
        if not disk.dead:
            break
        if cut:
            disk.power_cut(rng)
        disk.restart()
        after_hours.assert_whole()
        shop.sync_until_done()
        assert shop.received() == shop.entries()
        after_hours.assert_whole()
    assert step > STEPS_AT_LEAST


def test_an_agent_on_a_full_disk_tries_again_when_there_is_room(after_hours: AfterHours) -> None:
    disk, shop = after_hours.disk, after_hours.shop
    after_hours.news()
    disk.fill()
    assert shop.sync(beat=False).problem == "JOURNAL_DISK_FULL"
    disk.clear()
    shop.sync_until_done()
    assert shop.received() == shop.entries()


def test_an_agent_with_hardly_any_room_never_breaks_down(after_hours: AfterHours) -> None:
    """Room for the journal's next page is not yet room for a bundle's file."""
    problems = set()
    for leave in range(0, 22_000, 700):
        after_hours.news()
        after_hours.disk.fill(leave)
        problems.add(after_hours.shop.sync(beat=False).problem)
        after_hours.disk.clear()
    assert problems == {"JOURNAL_DISK_FULL", ""}
    after_hours.shop.sync_until_done()
    after_hours.assert_whole()


def test_a_disk_put_back_from_a_backup_is_seen_by_the_first_answer(
    after_hours: AfterHours,
) -> None:
    disk, shop = after_hours.disk, after_hours.shop
    backup = disk.copy()
    shop.write(1)
    assert not shop.sync().problem
    disk.restore(backup)
    shop.write(1)
    report = shop.sync()
    assert (report.problem, report.final) == ("ACKNOWLEDGEMENT_FOREIGN", True)
