"""A full disk: said before a card is touched, and never between a debit and its entry."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardlib.connection import CardConnection
from cardlib.wire.entry_body import Declined
from simulator.faults import Shim
from terminal.journal.store import DiskFullError
from terminal.sale.states import State
from terminal.till import Till
from tests.integration.terminal.stage import Customer, Stage, assert_books, codes
from tests.integration.terminal.test_sale import refused

SIZE = 2 * 1024 * 1024
UPDATE = 0xDC


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={SIZE}".encode()
    if libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options) != 0:
        pytest.skip(f"may not mount a small disk: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(str(folder).encode(), 2)


@pytest.fixture
def cramped(small_disk: Path) -> Iterator[Stage]:
    made = Stage(small_disk)
    with made.open_tills:
        yield made


def fill(folder: Path, leave: int = 0) -> Path:
    """Takes all the room but ``leave`` bytes."""
    path = folder / "film.mp4"
    with path.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            pass
        stream.truncate(max(0, stream.tell() - leave))
    return path


def append_many(till: Till, count: int) -> None:
    for _ in range(count):
        till.journal.append(Declined(code="X" * 2000))


class FillsAtDebit(Shim):
    """Somebody saves a film at the worst moment."""

    def __init__(self, inner: CardConnection, folder: Path) -> None:
        super().__init__(inner)
        self._folder = folder

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[1] == UPDATE:
            fill(self._folder)
        return super().transmit(apdu)


def test_a_disk_that_fills_during_the_debit_still_takes_the_sale(cramped: Stage) -> None:
    card, till = cramped.card(), cramped.till()
    shop = Customer(till, FillsAtDebit(card.plug(), cramped.folder))
    assert shop.buy(5_00).state is State.CLOSED
    assert codes(till) == ["grant_seen", "intent", "sale"]
    assert not till.files.ballast.exists()
    assert_books(card, till)

    shop = Customer(till, card.plug())
    (cramped.folder / "film.mp4").unlink()
    fill(cramped.folder, leave=100_000)
    assert refused(lambda: shop.buy(1_00)).code == "JOURNAL_DISK_FULL"
    assert shop.trace == []
    (cramped.folder / "film.mp4").unlink()
    assert shop.buy(1_00).goods_are_due
    assert till.files.ballast.exists()
    assert_books(card, till)


def test_a_disk_full_at_the_intent_touches_no_money(cramped: Stage) -> None:
    card, till = cramped.card(), cramped.till()
    till.journal.reserve_space()
    fill(cramped.folder)
    with pytest.raises(DiskFullError):
        append_many(till, 200)  # SQLite reuses the room it has first
    assert till.files.ballast.exists()
    before = codes(till)
    shop = Customer(till, card.plug())
    assert refused(lambda: shop.buy(1_00)).code == "JOURNAL_DISK_FULL"
    assert (codes(till), card.newest().ctr) == (before, 0)
    assert till.journal.check().good
