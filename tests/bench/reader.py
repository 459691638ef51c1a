"""The virtual card through pcscd against a stub that answers a constant, and against vicc's.

Each card is served by a process of its own, as ``sim serve`` does; the two of a pair are
in the two slots of one daemon.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardlib.errors import CardMissingError
from cardlib.pcsc.link import Link, Search
from cardlib.pcsc.machine import real_service
from cardlib.system import SystemClock
from simulator.private_pcscd import PrivatePcscd
from tests.bench import vicc
from tests.bench.measure import Figure, paired, usual_rate
from tests.bench.serve import SIZE

READS, ROUNDS = 800, 7
RATIO_MIN, VICC_RATIO_MIN = 0.7, 2.0
READ = bytes((0x00, 0xB0, 0x00, 0x00, SIZE))
SELECT_CERTIFICATE = bytes.fromhex("00A4080C0411001101")
LEAST_US = 2.0
"""Less than that cannot be told apart from the path's own noise."""


def figures(folder: Path) -> Iterator[Figure]:
    """A pair a figure."""
    clock = SystemClock()
    with (
        tempfile.TemporaryDirectory(prefix="pcscd") as short,
        PrivatePcscd(Path(short), clock) as daemon,
    ):
        os.environ.update(daemon.environment)
        ours, stub, ratio = _measured(daemon, clock, "stub")
        yield Figure(
            f"virtual card through pcscd against a constant stub, READ BINARY of {SIZE} B",
            f"{ours:.0f}/s against {stub:.0f}/s: {ratio:.2f}",
            f">= {RATIO_MIN}",
            ratio >= RATIO_MIN,
        )
        if lacking := vicc.missing():
            print(f"vsmartcard's card OS: left out, missing is {lacking}", file=sys.stderr)
            return
        clock.sleep(1)  # longer than pcscd's poll: the cards must be seen to go
        measured = _measured(daemon, clock, "vicc")
        yield _through_pcscd(stub, *measured)
        yield _beyond_the_stub(stub, *measured)


def _through_pcscd(stub: float, ours: float, theirs: float, ratio: float) -> Figure:
    """The whole path; where not even a stub is fast enough, no card can be judged by it."""
    limit = stub / theirs
    judged = limit >= VICC_RATIO_MIN
    aside = "" if judged else f", not judged: a constant stub reaches {limit:.2f} here"
    return Figure(
        f"the virtual card against vsmartcard's card OS through pcscd, READ BINARY of {SIZE} B",
        f"{ours:.0f}/s against {theirs:.0f}/s: {ratio:.2f}",
        f">= {VICC_RATIO_MIN}{aside}",
        not judged or ratio >= VICC_RATIO_MIN,
    )


def _beyond_the_stub(stub: float, ours: float, theirs: float, _ratio: float) -> Figure:
    """What each card takes beyond the path itself."""
    own, their_own = (max(1e6 / card - 1e6 / stub, LEAST_US) for card in (ours, theirs))
    return Figure(
        "the same, time of the card's own beyond a stub's",
        f"{their_own:.0f} us against {own:.0f} us: {their_own / own:.1f}",
        f">= {VICC_RATIO_MIN}",
        their_own / own >= VICC_RATIO_MIN,
    )


@contextmanager
def _served(kind: str, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.serve", kind, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def _measured(daemon: PrivatePcscd, clock: SystemClock, rival: str) -> tuple[float, float, float]:
    """Reads a second of our card and of its rival, and their ratio."""
    with _served("ours", daemon.port), _served(rival, daemon.port + 1):
        card, other = _connect(daemon, clock, 0), _connect(daemon, clock, 1)
        card.transmit(SELECT_CERTIFICATE)
        other.transmit(vicc.SELECT)
        rates = paired(
            lambda: usual_rate(lambda: _read(card), READS),
            lambda: usual_rate(lambda: _read(other), READS),
            ROUNDS,
        )
        card.close()
        other.close()
    return rates


def _connect(daemon: PrivatePcscd, clock: SystemClock, slot: int) -> Link:
    """The bare link: a connection's time limits are not what is measured here."""
    link = Link(real_service, Search(daemon.reader_name(slot)))
    for _ in range(100):
        try:
            link.open()
        except CardMissingError:
            clock.sleep(0.1)
        else:
            return link
    raise CardMissingError


def _read(link: Link) -> None:
    assert len(link.transmit(READ)) == SIZE + 2
