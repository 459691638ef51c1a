"""A whole town for fault tests: shops enrolled, cards loaded, the backend off until asked."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path

from cardlib.errors import CardlibError
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.money import Money
from simulator.town.demo.cards_and_ledger import SlotBooks, compare
from simulator.town.demo.narrator import Narrator
from simulator.town.demo.people import FOOD, GROCER, MARIA, PAOLO
from simulator.town.demo.readers import ProcessReader, Wrap, untouched
from simulator.town.demo.shop import Shop
from simulator.town.demo.story import Story
from simulator.town.demo.town_hall import TownHall
from terminal.sale.states import State

TENTH = Money(10)


class Town:
    """A town that has opened: shops enrolled, cards loaded, the backend off until asked."""

    def __init__(self, directory: Path, story: Story, port: int) -> None:
        self.directory = directory
        self.story = story
        self.hall = story.hall
        self.port = port
        """Where the tills look for the backend."""

    @classmethod
    def founded(cls, directory: Path) -> "Town":
        """A new one, its hall not open."""
        clock, randomness = SystemClock(), SystemRandomness()
        with TownHall(directory / "backend", "secret", clock, randomness) as hall:
            story = Story(
                directory, "secret", clock, randomness, ProcessReader(randomness),
                Narrator("en", silent=True), hall,
            )  # fmt: skip
            with hall.serve() as url:
                story.open_books()
                story.enrol_shops(url)
                story.issue_cards()
                story.load_cards()
        return cls(directory, story, int(url.rsplit(":", 1)[1]))

    @contextmanager
    def copied(self, directory: Path) -> Generator["Town"]:
        """The same town with everything it has on disk, open in another directory."""
        shutil.copytree(self.directory, directory, dirs_exist_ok=True)
        story = self.story
        shops = {
            key: Shop(directory / shop.directory.name, "secret", shop.clock, shop.randomness)
            for key, shop in story.shops.items()
        }
        hall = copy(self.hall)
        hall.settings = replace(hall.settings, directory=directory / "backend")
        with hall:
            yield Town(
                directory, replace(story, directory=directory, hall=hall, shops=shops), self.port
            )

    def sell(self, shop: str, wrap: Wrap) -> State | None:
        """One sale of ten cents with a fault; what the till believed, None when it raised."""
        try:
            with self.story.reader.insert(self.story.image(MARIA), wrap) as card:
                result, _ = self.story.shops[shop].sell(
                    card, self.story.pin(MARIA), [(FOOD, TENTH)]
                )
        except CardlibError:
            return None
        return result.state

    def recover(self, shop: str) -> None:
        with self.story.reader.insert(self.story.image(MARIA)) as card:
            self.story.shops[shop].recover(card)

    def synchronise_and_compare(self) -> None:
        """U is zero after the last synchronisation.

        A sale whose attested read was lost is proven by the card itself, when a till that
        has the backend's request meets it at the next sale.
        """
        self._synchronise()
        if not all(slot.agree for slot in self.slots()):
            assert self.sell(GROCER.key, untouched) is State.CLOSED
            self._synchronise()
        for slot in self.slots():
            assert slot.agree, slot

    def _synchronise(self) -> None:
        with self.hall.serve(self.port):
            self.story.synchronise()

    def slots(self) -> list[SlotBooks]:
        backend = self.hall.backend
        images = [self.story.image(MARIA), self.story.image(PAOLO)]
        return compare(backend.work, backend.keys, images, SystemRandomness())

    def balance(self) -> Money:
        return self.slots()[0].balance_on_card
