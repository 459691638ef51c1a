"""A sale: its commands and bytes, its time by the timing model, and the host's own work."""

import time
from collections.abc import Iterator
from pathlib import Path

from cardlib.channel import Channel
from cardlib.codec.commands import CHALLENGE_SIZE, give_random
from cardlib.codec.pin import Pin
from cardlib.connection import CardConnection
from cardlib.dialogues.purse_state import PurseState
from cardlib.dialogues.read import OpenPurse, find_purse, read_newest, read_wallets, state_of
from cardlib.dialogues.volley import Dialogue, send_all
from cardlib.keys.module import SecurityModule
from cardlib.keys.trust import Trust
from cardlib.trace import Exchange
from cardlib.wire.money import Money
from simulator.card.masks import GENERIC_T0, WHITE_APPLET
from simulator.faults import Shim
from simulator.timing import FAST_BIT_RATE, SLOW_BIT_RATE, Line, Timed, TimingModel, VirtualClock
from terminal.counter import Counter
from terminal.sale.offer import Item
from tests.bench.measure import Figure, cpu_ms
from tests.integration.terminal.stage import FOOD, PIN, Stage, StageCard

SALES = 30
COMMANDS_MAX, BYTES_MAX = 10, 440
APPLET_COMMANDS_MAX, APPLET_BYTES_MAX = 4, 160
BALANCE_COMMANDS_MAX, BALANCE_BYTES_MAX = 5, 240
HOST_MS_MAX = 5.0
NO_TARGET = "none"


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
    """Counts on the trace, times in virtual time, then CPU over several sales."""
    stage = Stage(folder)
    try:
        counter = Counter(stage.till())
        yield from _file_card(stage, counter)
        yield from _applet_card(stage, counter)
        yield _other_protocol(stage, counter)
        yield _host_cpu(stage, counter)
    finally:
        stage.open_tills.close()


def _file_card(stage: Stage, counter: Counter) -> Iterator[Figure]:
    yield _size("sale", _sale(counter, stage.card(number=1).plug()), COMMANDS_MAX, BYTES_MAX)
    trace: list[Exchange] = []
    Channel(stage.card(number=2).plug(), trace.append).run(
        _balance(counter.till.module, counter.till.trust)
    )
    yield _size("balance of one wallet", trace, BALANCE_COMMANDS_MAX, BALANCE_BYTES_MAX)
    yield from _times("sale", counter, stage.card(number=3))


def _applet_card(stage: Stage, counter: Counter) -> Iterator[Figure]:
    plastic = stage.card(mask=WHITE_APPLET, number=4)
    _sale(counter, plastic.plug())  # the till has now seen the purse's grant
    trace = _sale(counter, plastic.plug())
    yield _size("sale, applet card, grant known", trace, APPLET_COMMANDS_MAX, APPLET_BYTES_MAX)
    yield from _times("sale, applet card, grant known", counter, plastic)


def _other_protocol(stage: Stage, counter: Counter) -> Figure:
    trace = _sale(counter, stage.card(mask=GENERIC_T0, number=5).plug())
    total = sum(exchange.size for exchange in trace)
    return Figure("sale, T=0: TPDUs and bytes", f"{len(trace)}, {total} B", NO_TARGET, holds=True)


def _balance(module: SecurityModule, trust: Trust) -> Dialogue[PurseState]:
    """A read that no sale follows: it asks for no challenge."""
    directory, info = yield from find_purse(module)
    session = module.open(info, bytes(CHALLENGE_SIZE))
    yield from send_all(give_random(session.random))
    purse = OpenPurse(info, directory, session, [], {})
    yield from read_newest(purse)
    yield from read_wallets(purse, trust)
    return state_of(purse, trust)


def _sale(counter: Counter, connection: CardConnection) -> list[Exchange]:
    """One sale of 1.00 EUR."""
    trace: list[Exchange] = []
    with counter.sale(counter.card(connection, trace.append)) as sale:
        sale.read()
        sale.basket([Item(FOOD, Money(100))])
        sale.agree(Pin(PIN))
        sale.commit()
        sale.finish()
    return trace


def _times(what: str, counter: Counter, plastic: StageCard) -> Iterator[Figure]:
    """What the model says; the chip's part in it is assumed."""
    for bit_rate in (SLOW_BIT_RATE, FAST_BIT_RATE):
        line = Line.of(plastic.card.atr, bit_rate)
        timed = Timed(plastic.plug(), VirtualClock(), TimingModel(line))
        trace = _sale(counter, timed)
        on_line = sum(line.ms(item.command, item.answer or b"") for item in trace)
        yield Figure(
            f"{what}, at {bit_rate:,} bit/s by the timing model",
            f"{timed.spent_ms:.0f} ms, {on_line:.0f} ms of it on the line",
            NO_TARGET,
            holds=True,
        )


def _size(what: str, trace: list[Exchange], commands: int, size: int) -> Figure:
    total = sum(exchange.size for exchange in trace)
    return Figure(
        f"{what}: commands and bytes",
        f"{len(trace)}, {total} B",
        f"<= {commands}, <= {size} B",
        len(trace) <= commands and total <= size,
    )


def _host_cpu(stage: Stage, counter: Counter) -> Figure:
    metered = Metered(stage.card(number=6).plug())
    _sale(counter, metered)
    metered.cpu_ns = 0
    total = cpu_ms(lambda: _sold(counter, metered), SALES)
    host = total - metered.cpu_ns / 1e6 / SALES
    return Figure(
        "sale: host CPU beyond the card's own", f"{host:.2f} ms", "<= 5 ms", host <= HOST_MS_MAX
    )


def _sold(counter: Counter, connection: CardConnection) -> None:
    _sale(counter, connection)
