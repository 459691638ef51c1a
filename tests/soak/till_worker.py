"""A till's process: opens the till and sells to whoever stands there, until it is ended.

``python -m tests.soak.till_worker TOWN TILL SEED``. A card is in one reader at a time: whoever
holds the lock on its image. A process that is killed lets go of card and till. Each sale adds
a line to ``sales`` with the number of its closing entry, once the cashier is told that the goods
are paid; each refusal one with its code to ``refused``. Both files are in the till's folder.
"""

import fcntl
import json
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from cardlib.codec.pin import Pin
from cardlib.errors import CardlibError
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.money import Money
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from terminal.counter import Counter
from terminal.passphrase import read_secret
from terminal.pay import Order, pay
from terminal.pay_talk import QuietTalk
from terminal.sale.offer import Item
from terminal.till import Till

PAUSE_S = 0.02
VOIDS = 0.1
CENTS_MAX = 40
SECONDS_MAX = 3600
"""It ends by itself, should everybody have forgotten it."""


class Worker:
    """One till, open."""

    def __init__(self, town: Path, till: Till, seed: str) -> None:
        self._cards = town / "cards"
        self._pins: dict[str, str] = json.loads((self._cards / "pins").read_text("ascii"))
        self._till = till
        self._rng = Random(seed)
        self._counter = Counter(till)

    def serve_one(self) -> None:
        """One customer: buys, or gives the last purchase back."""
        name = self._rng.choice(sorted(self._pins))
        gives_back = self._rng.random() < VOIDS
        item = Item(0, Money(self._rng.randint(1, CENTS_MAX)))
        with in_reader(self._cards / name) as card:
            if card is None:
                return
            talk = QuietTalk(
                lambda _text: None, lambda _text: True, lambda: Pin(self._pins[name]),
                self._till.trust, "en", interactive=False,
            )  # fmt: skip
            try:
                order = Order(() if gives_back else (item,), park=True)
                closing = pay(self._counter, self._counter.card(card), order, talk).result.closing
                assert closing is not None
                self._note("sales", f"{closing.header.seq}\n")
            except CardlibError as error:
                self._note("refused", f"{error.code}\n")

    def _note(self, file: str, text: str) -> None:
        with (self._till.files.directory / file).open("a") as stream:
            stream.write(text)


@contextmanager
def in_reader(path: Path) -> Generator[InProcessConnection | None]:
    """The card of an image; None while it is in another reader."""
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        card = VirtualCard.load(path, SystemRandomness())
        yield InProcessConnection(card)
        card.power_off()


def main(town: Path, name: str, seed: str) -> None:
    """Sells until SIGTERM."""
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    clock = SystemClock()
    limit = clock.monotonic_ms() + SECONDS_MAX * 1000
    passphrase = read_secret(town / "passphrase")
    with Till.open(town / name, passphrase, clock, SystemRandomness()) as till:
        worker = Worker(town, till, f"{seed} {till.journal.views.head().seq}")
        print("open", flush=True)
        while not ended and clock.monotonic_ms() < limit:
            worker.serve_one()
            till.refresh()
            clock.sleep(PAUSE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
