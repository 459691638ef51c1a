"""The simulated disk forgets what real disks forget, and nothing else."""

import errno
from pathlib import Path
from random import Random

import pytest

from simulator.town.disk import SimulatedDisk
from simulator.town.disk.files import SECTOR, File, NameChange, Names, Write
from simulator.town.killed import Killed

BUNDLE = Path("/till/bundle.cose")
SEEDS = range(60)


def test_synced_bytes_survive_and_others_are_kept_lost_or_torn() -> None:
    old, new = bytes(3 * SECTOR), b"\x01" * (3 * SECTOR)
    seen = set()
    for seed in SEEDS:
        file = File.synced(old)
        file.change(Write(0, new))
        assert bytes(file.content) == new
        file.lose(Random(seed))
        seen.add(tuple(file.content[at] for at in range(0, len(old), SECTOR)))
        for at in range(0, len(old), SECTOR):
            assert len(set(file.content[at : at + SECTOR])) == 1  # a sector is never torn
    assert len(seen) == 8
    file = File.synced(old)
    file.change(Write(5, b"abc"))
    file.sync()
    file.lose(Random(1))
    assert bytes(file.content[:9]) == bytes(5) + b"abc\0"


def test_a_later_write_may_survive_an_earlier_one() -> None:
    def left(seed: int) -> bytes:
        file = File.synced(b"--")
        file.change(Write(0, b"1"))
        file.change(Write(1, b"2"))
        file.lose(Random(seed))
        return bytes(file.content)

    assert {left(seed) for seed in SEEDS} == {b"--", b"1-", b"-2", b"12"}


def test_a_name_lasts_once_its_directory_is_synced() -> None:
    def left(seed: int, directory: str) -> bool:
        names = Names()
        names.change(NameChange(File.synced(b"x"), new="/till/a"))
        names.sync(directory)
        names.lose(Random(seed))
        return "/till/a" in names.seen

    assert {left(seed, "/till") for seed in SEEDS} == {True}
    assert {left(seed, "/elsewhere") for seed in SEEDS} == {True, False}


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_file_written_durably_is_the_old_or_the_new_one(side: str) -> None:
    """Killed at each of the three steps, with the power gone at once."""
    assert side in ("before", "after")
    found = set()
    for step in (1, 2, 3, 4):
        for seed in SEEDS:
            disk = SimulatedDisk()
            disk.write(BUNDLE, b"old")
            disk.kill_at(step, "before" if side == "before" else "after")
            if step == 4:  # there is no fourth one
                disk.write(BUNDLE, b"new")
            else:
                with pytest.raises(Killed):
                    disk.write(BUNDLE, b"new")
            disk.power_cut(Random(seed))
            disk.restart()
            left = disk.read(BUNDLE)
            found.add((step, left))
            assert left in (b"old", b"new")
    assert (4, b"old") not in found
    assert {(1, b"old"), (3, b"new"), (4, b"new")} <= found


def test_a_dead_machine_does_nothing_until_it_is_started() -> None:
    disk = SimulatedDisk()
    disk.write(BUNDLE, b"x")
    disk.kill()
    for act in (
        lambda: disk.read(BUNDLE),
        lambda: disk.write(BUNDLE, b"y"),
        lambda: disk.exists(BUNDLE),
        lambda: disk.size(BUNDLE),
        lambda: disk.remove(BUNDLE),
        lambda: disk.free_bytes(BUNDLE.parent),
        lambda: disk.hold(BUNDLE),
    ):
        with pytest.raises(Killed):
            act()
    disk.restart()
    assert disk.read(BUNDLE) == b"x"


def test_a_full_disk_says_so_and_leaves_the_old_file() -> None:
    disk = SimulatedDisk()
    disk.write(BUNDLE, b"old")
    disk.fill(leave=4)
    assert disk.free_bytes(BUNDLE.parent) == 4
    with pytest.raises(OSError, match="No space") as full:
        disk.write(BUNDLE, b"newer")
    assert full.value.errno == errno.ENOSPC
    assert (disk.read(BUNDLE), disk.free_bytes(BUNDLE.parent)) == (b"old", 4)
    disk.write(BUNDLE, b"new")
    disk.clear()
    disk.write(BUNDLE, b"newer")
    assert disk.read(BUNDLE) == b"newer"


def test_room_that_is_given_up_is_free_again() -> None:
    disk = SimulatedDisk()
    disk.write(BUNDLE, bytes(1000))
    disk.fill()
    disk.remove(BUNDLE)
    assert disk.free_bytes(BUNDLE.parent) == 1000
    disk.write(BUNDLE, bytes(400))
    assert disk.free_bytes(BUNDLE.parent) == 600


def test_a_backup_put_back_is_the_disk_of_that_moment() -> None:
    disk = SimulatedDisk()
    disk.write(BUNDLE, b"monday")
    backup = disk.copy()
    disk.write(BUNDLE, b"tuesday")
    disk.write(BUNDLE.with_name("keys.sealed"), b"x")
    disk.restore(backup)
    assert disk.read(BUNDLE) == b"monday"
    assert not disk.exists(BUNDLE.with_name("keys.sealed"))


def test_a_missing_file_is_missing_as_on_a_real_disk() -> None:
    disk = SimulatedDisk()
    with pytest.raises(FileNotFoundError):
        disk.read(BUNDLE)
    assert disk.size(BUNDLE) is None
    disk.remove(BUNDLE)
    assert disk.steps == 0
