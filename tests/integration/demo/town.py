"""A whole town for fault tests: shops enrolled, cards loaded, the backend off until asked."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cardlib.errors import CardlibError
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.money import Money
from simulator.town.demo.books import SlotBooks, compare
from simulator.town.demo.narrator import Narrator
from simulator.town.demo.people import FOOD, GROCER, MARIA, PAOLO
from simulator.town.demo.readers import ProcessReader, Wrap, untouched
from simulator.town.demo.story import Story
from simulator.town.demo.town_hall import TownHall
from terminal.sale.states import State

TENTH = Money(10)


class Town:
    """A town that has opened: shops enrolled, cards loaded, the backend off until asked."""

    def __init__(self, directory: Path, hall: TownHall) -> None:
        self.directory = directory
        self.hall = hall
        randomness = SystemRandomness()
        self.story = Story(
            directory, "secret", SystemClock(), randomness, ProcessReader(randomness),
            Narrator("en", silent=True), hall,
        )  # fmt: skip
        with hall.serve() as url:
            self.story.open_books()
            self.story.enrol_shops(url)
            self.story.issue_cards()
            self.story.load_cards()
        self.port = int(url.rsplit(":", 1)[1])

    @classmethod
    @contextmanager
    def opened(cls, directory: Path) -> Generator["Town"]:
        """In a fresh directory."""
        hall = TownHall(directory / "backend", "secret", SystemClock(), SystemRandomness())
        with hall:
            yield cls(directory, hall)

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
