"""Journals on the simulated disk: what an append returned for survives any power cut."""

import errno
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from random import Random

import apsw
import pytest

from cardlib.wire.entry_body import Declined
from cardlib.wire.ids import Seq
from cardlib.wire.upload import Acknowledgement
from simulator.town.disk import SimulatedDisk
from simulator.town.killed import Killed
from terminal.errors import JournalError
from terminal.journal.store import DiskFullError
from tests.integration.terminal.stage import Customer, Stage, assert_books, codes
from tests.integration.terminal.test_sale import refused

SEEDS = range(40)
CARELESS = "off"


@pytest.fixture
def disk() -> SimulatedDisk:
    return SimulatedDisk()


@pytest.fixture
def stage(disk: SimulatedDisk) -> Generator[Stage]:
    made = Stage(Path("/shop"), storage=disk)
    with made.open_tills:
        yield made


def write_on_and_on(stage: Stage, rng: Random, promised: list[int], synchronous: str) -> None:
    """``promised``: the entries that ``append`` returned for. The last till is left open."""
    for last in [False] * rng.randrange(1, 6) + [True]:
        till = stage.till()
        if synchronous:
            till.journal._db.pragma("synchronous", synchronous)
        for _ in range(rng.randrange(1, 12)):
            entry = till.journal.append(Declined(code="X" * rng.randrange(1, 3000)))
            promised.append(entry.header.seq)
            if rng.random() < 0.1:
                till.journal._db.wal_checkpoint()
        if not last:
            till.close()


def entries_after_a_power_cut(seed: int, synchronous: str = "") -> tuple[int, int]:
    """How many entries were promised, and how many are there; ``""`` syncs as a till does."""
    rng, disk, promised = Random(seed), SimulatedDisk(), [0]
    stage = Stage(Path("/shop"), storage=disk)
    disk.kill_at(rng.randrange(15, 100), rng.choice(("before", "after")))
    with suppress(Killed):
        write_on_and_on(stage, rng, promised, synchronous)
    disk.power_cut(rng)
    disk.restart()
    with stage.till() as till:
        assert till.journal.check().good
        left = till.journal.views.head().seq
        till.journal.append(Declined(code="LIFE_GOES_ON"))
    return promised[-1], left


@pytest.mark.parametrize("seed", SEEDS)
def test_what_an_append_returned_for_survives_a_power_cut(seed: int) -> None:
    promised, left = entries_after_a_power_cut(seed)
    assert promised <= left <= promised + 1


def test_a_journal_that_does_not_sync_loses_entries_on_this_disk() -> None:
    """The check above can fail: this disk forgets."""
    lost = 0
    for seed in SEEDS:
        try:
            promised, left = entries_after_a_power_cut(seed, CARELESS)
            lost += left < promised
        except (apsw.Error, JournalError, AssertionError):
            lost += 1
    assert lost > len(SEEDS) // 2


def test_a_process_that_is_killed_loses_nothing_that_it_wrote(
    disk: SimulatedDisk, stage: Stage
) -> None:
    """What is written is the system's; only a power cut takes it."""
    till = stage.till()
    till.journal._db.pragma("synchronous", CARELESS)
    till.journal.append(Declined(code="A"))
    disk.kill()
    with pytest.raises(Killed):
        till.journal.append(Declined(code="B"))
    with pytest.raises(Killed):
        till.journal.views.head()
    till.close()
    disk.restart()
    with stage.till() as again:
        assert codes(again) == ["declined A"]
        with pytest.raises(apsw.ConnectionClosedError):
            till.journal.views.head()


def test_a_reader_beside_the_till_closes_nothing_but_itself(stage: Stage) -> None:
    till = stage.till()
    with till.read_journal() as reader:
        till.journal.append(Declined(code="A"))
        assert reader.views.head().seq == 1
    reader.close()
    till.journal.append(Declined(code="B"))
    with pytest.raises(JournalError) as refused_:
        till.open_journal()
    assert refused_.value.code == "JOURNAL_IN_USE"
    till.close()
    with till.read_journal() as reader:
        assert reader.check().good
        assert reader.views.head().seq == 2


def test_a_journal_lies_encrypted_on_this_disk_too(disk: SimulatedDisk, stage: Stage) -> None:
    till = stage.till()
    till.journal.append(Declined(code="A_WORD_TO_LOOK_FOR"))
    files = disk.copy().contents
    assert any(name.endswith("-wal") and content for name, content in files.items())
    assert not any(b"A_WORD_TO_LOOK_FOR" in content for content in files.values())


def test_a_full_disk_still_takes_the_entry_of_a_debit(disk: SimulatedDisk, stage: Stage) -> None:
    card, till = stage.card(), stage.till()
    till.journal.reserve_space()
    while True:  # until not even what SQLite has reserved is enough
        disk.fill(leave=0)
        try:
            till.journal.append(Declined(code="X" * 2000))
        except DiskFullError:
            break
    before = codes(till)
    shop = Customer(till, card.plug())
    assert refused(lambda: shop.buy(1_00)).code == "JOURNAL_DISK_FULL"
    assert (codes(till), card.newest().ctr) == (before, 0)
    disk.clear()
    assert shop.buy(1_00).goods_are_due
    assert_books(card, till)


def test_a_full_disk_harms_no_checkpoint(disk: SimulatedDisk, stage: Stage) -> None:
    """The commit before it is told as what it is: done."""
    till, promised = stage.till(), 0
    disk.fill(leave=6_000_000)
    with suppress(DiskFullError):
        while True:
            till.journal.append(Declined(code="X" * 2000))
            promised += 1
    assert till.journal.views.head().seq == promised
    disk.clear()
    till.close()
    with stage.till() as till:
        assert till.journal.check().good
        assert till.journal.views.head().seq == promised


def test_a_backup_of_yesterday_is_seen_to_be_one(disk: SimulatedDisk, stage: Stage) -> None:
    till = stage.till()
    till.journal.append(Declined(code="MONDAY"))
    backup = disk.copy()
    second = till.journal.append(Declined(code="TUESDAY"))
    acknowledged = Acknowledgement(
        terminal=till.certificate.terminal, high_seq=Seq(2), high_hash=second.hash,
        server_time=1_790_000_000, nonce=1, bundle_version=1, verdicts=(),
    ).sign(stage.operator)  # fmt: skip
    disk.restore(backup)
    with stage.till() as till:
        assert codes(till) == ["declined MONDAY"]
        assert till.journal.check().good
        till.journal.append(Declined(code="TUESDAY_AGAIN"))
        answer = Acknowledgement.open(acknowledged, stage.operator.public)
        with pytest.raises(JournalError) as foreign:
            till.journal.acknowledgements.record(acknowledged, answer)
    assert foreign.value.code == "ACKNOWLEDGEMENT_FOREIGN"


def test_an_entry_that_a_new_till_has_read_survives_the_next_power_cut(
    stage: Stage, disk: SimulatedDisk
) -> None:
    """The till died between write and sync: the next one may act on what it sees."""
    seen = []
    for step in range(1, 12):
        till = stage.till()
        disk.kill_at(step, "before")
        with suppress(Killed):
            till.journal.append(Declined(code="X"))
        disk.restart()
        head = stage.till().journal.views.head().seq
        disk.power_cut(Random(step))
        disk.restart()
        with stage.till() as last:
            seen.append((head, last.journal.views.head().seq))
    assert all(after == head for head, after in seen), seen


def failing(_descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_disk_that_does_not_sync_opens_no_till_and_lets_no_entry_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On real files: what was read may be gone tomorrow, and its number used again."""
    stage = Stage(tmp_path)
    with stage.till() as till:
        till.journal.append(Declined(code="X"))
        monkeypatch.setattr("os.fsync", failing)
        with pytest.raises(JournalError) as unsent, till.read_journal() as reader:
            reader.make_durable()
    with pytest.raises(JournalError) as unopened:
        till.open_journal()
    monkeypatch.undo()
    with till.open_journal() as again:
        assert again.views.head().seq == 1
    assert (unsent.value.code, unopened.value.code) == ("JOURNAL_IO", "JOURNAL_IO")
