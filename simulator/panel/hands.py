"""What people do with cards: insert, remove, break, look. In one thread, in turn.

The screen asks and goes on; what comes of it is posted as messages, which Textual takes
from any thread. The virtual readers' threads post what the cards say in between.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from textual.message import Message

from cardlib.channel import Channel
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CardlibError
from simulator.card.filesystem import Memory
from simulator.card_keys import CardKeys
from simulator.errors import ImageError
from simulator.module_card.memory import ModuleMemory
from simulator.panel.messages import CardLooked, Happened, ShelfLooked, SlotsLooked, Trouble
from simulator.panel.views import SlotView, card_view
from simulator.shelf import Shelf, ShelfCard
from simulator.slot import Slot, SlotEvent

Post = Callable[[Message], object]


class Hands:
    """Serves the screen from :meth:`start` to :meth:`close`."""

    def __init__(self, shelf: Shelf, slots: tuple[Slot, ...], keys: CardKeys, post: Post) -> None:
        self._shelf, self._slots, self._keys, self._post = shelf, slots, keys, post
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hands")
        self._shown: ShelfCard | None = None
        for slot in slots:
            slot.watcher = self._happened

    # what the screen asks --------------------------------------------------------------

    def start(self) -> Future[None]:
        """Looks at everything."""
        return self._do(lambda: self._look_at_shelf(""))

    def close(self) -> None:
        """Takes all cards out and ends."""
        for slot in self._slots:
            self._thread.submit(slot.remove)
        self._thread.shutdown()

    def select(self, card: ShelfCard | None) -> Future[None]:
        """Shows another card."""

        def choose() -> None:
            self._shown = card

        return self._do(choose)

    def move(self, number: int, card: ShelfCard | None) -> Future[None]:
        """Puts ``card`` into a slot; takes it out when it is the one that is in."""
        return self._do(lambda: self._move(self._slot(number), card))

    def toggle(self, number: int, fault: str) -> Future[None]:
        """Arms a fault; takes it away when it is armed and has not struck its command yet."""
        return self._do(lambda: _toggle(self._slot(number), fault))

    def disarm(self, number: int) -> Future[None]:
        """No faults any more."""
        return self._do(self._slot(number).disarm)

    def release(self, number: int) -> Future[None]:
        """Lets held-back commands through."""
        return self._do(lambda: self._release(self._slot(number)))

    def read(self, number: int) -> Future[None]:
        """Reads the card as ``card info`` does: for slots that no reader serves."""
        return self._do(lambda: self._read(self._slot(number)))

    def new_card(self, name: str, mask: str) -> Future[None]:
        """A new card on the shelf."""

        def make() -> None:
            made = self._shelf.new_card(name, mask)
            self._look_at_shelf(made.name)

        return self._do(make)

    # what comes of it ------------------------------------------------------------------

    def _do(self, job: Callable[[], object]) -> Future[None]:
        return self._thread.submit(self._run, job)

    def _run(self, job: Callable[[], object]) -> None:
        try:
            job()
        except CardlibError as error:
            self._post(Trouble(error.code, error.facts))
        except OSError as error:
            why = ImageError("CARD_IMAGE_UNWRITABLE", path=str(error.filename), why=str(error))
            self._post(Trouble(why.code, why.facts))
        self._post(SlotsLooked(tuple(SlotView.of(slot) for slot in self._slots)))
        self._look_at_card()

    def _happened(self, event: SlotEvent) -> None:
        self._post(Happened(event))

    def look(self) -> Future[None]:
        """Looks again at slots and card: something was said."""
        return self._do(lambda: None)

    def _look_at_shelf(self, select: str) -> None:
        self._post(ShelfLooked(tuple(self._shelf.cards()), select))

    def _look_at_card(self) -> None:
        card = self._shown
        try:
            memory = None if card is None or card.trouble else self._memory(card)
        except CardlibError:
            memory = None
        view = card_view(card, memory, self._keys) if card and memory else None
        self._post(CardLooked(view))

    def _memory(self, card: ShelfCard) -> Memory | ModuleMemory:
        for slot in self._slots:
            if slot.card_name == card.name and slot.card is not None:
                return slot.card.memory
        return self._shelf.take(card.name).memory

    def _slot(self, number: int) -> Slot:
        return next(slot for slot in self._slots if slot.number == number)

    def _move(self, slot: Slot, card: ShelfCard | None) -> None:
        if card is None or slot.card_name == card.name:
            slot.remove()
            return
        for other in self._slots:
            if other.card_name == card.name:
                other.remove()
        slot.insert(card.name, self._shelf.take(card.name))

    def _release(self, slot: Slot) -> None:
        if not slot.release():
            raise ImageError("NOTHING_HELD_BACK", slot=slot.number)

    def _read(self, slot: Slot) -> None:
        if slot.address is not None:
            raise ImageError("SLOT_IN_READER", slot=slot.number)
        channel = Channel(slot)
        try:
            channel.run(inspect_card())
        except CardlibError as error:
            self._post(Trouble(error.code, error.facts))
            if slot.card is not None:
                slot.put_back()
        finally:
            channel.close()


def _toggle(slot: Slot, fault: str) -> None:
    armed = next((item for item in slot.faults if item.text == fault), None)
    if armed is not None:
        slot.disarm(fault)
    if armed is None or (armed.struck and armed.waits):
        slot.arm(fault)
