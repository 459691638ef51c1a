"""A sale: its commands and bytes, and what the host adds to the card's own work."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cardlib.codec.pin import Pin
from cardlib.trace import Exchange
from cardlib.wire.money import Money
from simulator.faults import Shim
from terminal.counter import Counter
from terminal.sale.offer import Item
from tests.bench.measure import Figure, cpu_ms
from tests.integration.terminal.stage import FOOD, PIN, Stage

SALES = 30
COMMANDS_MAX, BYTES_MAX = 10, 440
BALANCE_COMMANDS_MAX, BALANCE_BYTES_MAX = 6, 255
"""5 commands and 240 bytes, and the challenge (15 bytes) that a sale may follow."""
HOST_MS_MAX = 5.0


class Metered(Shim):
    """Counts the CPU time that the card itself takes."""

    cpu_ns = 0

    def transmit(self, apdu: bytes) -> bytes:
        start = time.process_time_ns()
        try:
            return super().transmit(apdu)
        finally:
            self.cpu_ns += time.process_time_ns() - start


def figures(folder: Path) -> Iterator[Figure]:
    """Counts on the trace, then CPU over several sales."""
    stage = Stage(folder)
    try:
        yield from _figures(stage)
    finally:
        stage.open_tills.close()


def _figures(stage: Stage) -> Iterator[Figure]:
    counter, plastic = Counter(stage.till()), stage.card()
    trace: list[Exchange] = []
    metered = Metered(plastic.plug())
    card = counter.card(metered, trace.append)

    def sell() -> None:
        with counter.sale(card) as sale:
            sale.read()
            sale.basket([Item(FOOD, Money(100))])
            sale.agree(Pin(PIN))
            sale.commit()
            sale.finish()

    sell()
    yield _size("sale", trace, COMMANDS_MAX, BYTES_MAX)
    trace.clear()
    card.read()
    yield _size(
        "balance of one wallet, challenge included", trace, BALANCE_COMMANDS_MAX, BALANCE_BYTES_MAX
    )
    yield _host_cpu(sell, metered)


def _size(what: str, trace: list[Exchange], commands: int, size: int) -> Figure:
    total = sum(exchange.size for exchange in trace)
    return Figure(
        f"{what}: commands and bytes",
        f"{len(trace)}, {total} B",
        f"<= {commands}, <= {size} B",
        len(trace) <= commands and total <= size,
    )


def _host_cpu(sell: Callable[[], None], metered: Metered) -> Figure:
    metered.cpu_ns = 0
    total = cpu_ms(sell, SALES)
    host = total - metered.cpu_ns / 1e6 / SALES
    return Figure(
        "sale: host CPU beyond the card's own", f"{host:.2f} ms", "<= 5 ms", host <= HOST_MS_MAX
    )
