"""A disk and the machine at it: it can be full, be killed at any durable step, lose power.

A *durable step* is the sync of a file, the sync of a directory, a rename or a removal.
"""

from collections.abc import Callable
from random import Random
from typing import Literal

from simulator.town.disk.files import File, NameChange, Names, Truncation, Write
from simulator.town.killed import Killed

PLENTY = 1 << 40
"""Bytes that are free where nobody set a limit."""
Side = Literal["before", "after"]


class NoRoomError(Exception):
    """The disk is full."""


class Medium:
    """Files by name. Every operation of a dead machine raises :class:`Killed`."""

    def __init__(self) -> None:
        self.dead = False
        self.boots = 0
        """How often the machine was started; handles of an earlier time are worth nothing."""
        self.steps = 0
        """Durable steps so far."""
        self.limit: int | None = None
        """Bytes that it holds; None for as many as anybody wants."""
        self.used = 0
        self.refused = 0
        """How many writes found no room."""
        self._names = Names()
        self._fatal: tuple[int, Side] | None = None
        self._death = "an earlier process"

    # programs ----------------------------------------------------------------------------

    @property
    def free(self) -> int:
        """Bytes that may still be written."""
        return PLENTY if self.limit is None else max(0, self.limit - self.used)

    def find(self, name: str) -> File | None:
        """The file of this name."""
        self.living()
        return self._names.seen.get(name)

    def create(self, name: str) -> File:
        """A new empty file, in place of what had this name."""
        self.living()
        file = File()
        self._forget_size(name)
        self._names.change(NameChange(file, new=name))
        return file

    def write(self, file: File, offset: int, data: bytes) -> None:
        """Not synced; NoRoomError and nothing written when the disk is full."""
        self.living()
        growth = offset + len(data) - len(file.content)
        if growth > 0:
            if self.limit is not None and growth > self.free:
                self.refused += 1
                raise NoRoomError
            self.used += growth
        file.change(Write(offset, data))

    def truncate(self, file: File, size: int) -> None:
        """Not synced."""
        self.living()
        self.used += size - len(file.content)
        file.change(Truncation(size))

    def sync(self, file: File) -> None:
        """A durable step."""
        self._step(file.sync)

    def sync_directory(self, directory: str) -> None:
        """A durable step."""
        self._step(lambda: self._names.sync(directory))

    def rename(self, old: str, new: str) -> None:
        """A durable step once the directory is synced, too; takes the place of ``new``."""
        self._step(lambda: self._rename(old, new))

    def remove(self, name: str) -> None:
        """A durable step once the directory is synced, too; nothing when there is no file."""
        if self.find(name) is not None:
            self._step(lambda: self._remove(name))

    # what happens to the machine -----------------------------------------------------------

    def living(self, boots: int | None = None) -> None:
        """Killed when the machine is dead, or was started again since that many ``boots``."""
        if self.dead or boots not in (None, self.boots):
            raise Killed(self._death)

    def kill_at(self, number: int, side: Side) -> None:
        """Dies before or after the ``number``-th durable step from now, from 1; 0: never."""
        self._fatal = (self.steps + number, side) if number else None

    def lose_power(self, rng: Random) -> None:
        """Dies; of what was not synced anything may be left."""
        self.dead = True
        self._names.lose(rng)

    def start(self) -> None:
        """The machine is on again; what is seen now is what there is."""
        self.dead, self._fatal = False, None
        self.boots += 1
        self.used = sum(len(file.content) for file in self._names.seen.values())

    def contents(self) -> dict[str, bytes]:
        """Every file as programs see it."""
        return {name: bytes(file.content) for name, file in self._names.seen.items()}

    def put_back(self, contents: dict[str, bytes]) -> None:
        """Dies, and holds exactly these files."""
        self.dead = True
        self._names.put_back(contents)

    def _step(self, act: Callable[[], None]) -> None:
        self.living()
        self.steps += 1
        self._die_at("before")
        act()
        self._die_at("after")

    def _die_at(self, side: Side) -> None:
        if self._fatal is not None and self._fatal == (self.steps, side):
            self._death = f"{side} durable step {self.steps}"
            self.dead = True
            raise Killed(self._death)

    def _rename(self, old: str, new: str) -> None:
        self._forget_size(new)
        self._names.change(NameChange(self._names.seen[old], old, new))

    def _remove(self, name: str) -> None:
        self._forget_size(name)
        self._names.change(NameChange(self._names.seen[name], gone=name))

    def _forget_size(self, name: str) -> None:
        file = self._names.seen.get(name)
        self.used -= 0 if file is None else len(file.content)
