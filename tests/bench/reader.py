"""The virtual card through pcscd against a stub that answers a constant on the same path."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cardlib.connection import CardConnection
from cardlib.errors import CardMissingError
from cardlib.system import SystemClock
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Shim
from simulator.private_pcscd import PrivatePcscd
from simulator.vpcd import VirtualReader
from tests.bench.measure import Figure, paired, rate
from tests.unit.simulator.host import purse_memory

READS = 400
RATIO_MIN = 0.7
READ_INFO = bytes.fromhex("00B0810011")
SELECT_PURSE = bytes.fromhex("00A4080C041200B001")


class Stub(Shim):
    """Answers every command with the same bytes: the limit of this path."""

    def transmit(self, apdu: bytes) -> bytes:  # noqa: ARG002 - whatever was asked
        return bytes(17) + b"\x90\x00"


def figures(folder: Path) -> Iterator[Figure]:
    """Both cards in the two slots of one daemon."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="pcscd") as short:
        daemon = PrivatePcscd(Path(short), clock)
        with daemon:
            os.environ.update(daemon.environment)
            card = InProcessConnection(VirtualCard(purse_memory(), SeededRandomness("bench")))
            address = ("127.0.0.1", daemon.port), ("127.0.0.1", daemon.port + 1)
            with VirtualReader(card, address[0]), VirtualReader(Stub(card), address[1]):
                yield _figure(daemon, clock)


def _figure(daemon: PrivatePcscd, clock: SystemClock) -> Figure:
    from cardlib import pcsc

    def connect(slot: int) -> pcsc.PcscConnection:
        for _ in range(50):
            try:
                return pcsc.connect(daemon.reader_name(slot))
            except CardMissingError:
                clock.sleep(0.1)
        return pcsc.connect(daemon.reader_name(slot))

    card, stub = connect(0), connect(1)
    card.transmit(SELECT_PURSE)
    ours, theirs, ratio = paired(
        lambda: rate(lambda: _read(card), READS), lambda: rate(lambda: _read(stub), READS)
    )
    card.close()
    stub.close()
    return Figure(
        "virtual card through pcscd against a constant stub, READ BINARY",
        f"{ours:.0f}/s against {theirs:.0f}/s: {ratio:.2f}",
        f">= {RATIO_MIN}",
        ratio >= RATIO_MIN,
    )


def _read(connection: CardConnection) -> None:
    connection.transmit(READ_INFO)
