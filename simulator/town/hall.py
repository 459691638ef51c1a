"""The backend in this process: the real composition on a database in memory.

It can be killed at any commit, started anew, copied, and put back as it was copied. A new
one costs milliseconds: the migrations run once a process, and every hall begins with a copy.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from sqlalchemy import Engine

from backend.adapters.engine import open_engine
from backend.adapters.key_store import MemoryKeyStore
from backend.adapters.migrate import migrate
from backend.adapters.unit_of_work import DatabaseWork, Unit
from backend.composition import Backend
from cardlib.ports import Clock, Randomness
from cardlib.wire.http_signatures import Answer, Request
from cardlib.wire.ids import PurseId
from simulator.card.personal import training_ca_certificate
from simulator.town.clock import DeviceClock
from simulator.town.killed import Killed

_IN_MEMORY = "sqlite:///:memory:"
Side = Literal["before", "after"]


@dataclass(slots=True)
class LettersInMemory:
    """PIN letters, by purse: the newest PIN, and the PUK of the first letter."""

    pins: dict[PurseId, str] = field(default_factory=dict)
    puks: dict[PurseId, str] = field(default_factory=dict)

    def issue(self, purse: PurseId, serial: str, pin: str, puk: str) -> None:
        """A first letter; the same one again changes nothing."""
        assert serial, "a letter goes with its card"
        self.pins[purse], self.puks[purse] = pin, puk

    def reissue(self, purse: PurseId, serial: str, pin: str) -> None:
        """A letter with a new PIN only."""
        assert serial, "a letter goes with its card"
        self.pins[purse] = pin


class KillPoint:
    """Counts commits, and dies at the one that was chosen."""

    def __init__(self) -> None:
        self._left = 0
        self._side: Side = "before"

    def arm(self, number: int, side: Side) -> None:
        """The ``number``-th commit from now, from 1; 0 for none."""
        self._left, self._side = number, side

    def reached(self, side: Side) -> None:
        """Called on both sides of every commit; raises Killed at the chosen one."""
        if side == "before":
            self._left -= 1
        if self._left == 0 and side == self._side:
            raise Killed(f"{side} a commit")


class KillableWork(DatabaseWork):
    """Units of work whose commits can be the last thing that a process does."""

    def __init__(self, engine: Engine, kill_point: KillPoint) -> None:
        super().__init__(engine)
        self._kill_point = kill_point
        self.commits = 0

    @contextmanager
    def begin(self) -> Generator[Unit]:
        """As the real one; Killed before or after a commit, where that was asked for."""
        with super().begin() as unit:
            commit = unit.commit

            def commit_or_die() -> None:
                self._kill_point.reached("before")
                commit()
                self.commits += 1
                self._kill_point.reached("after")

            unit.commit = commit_or_die  # type: ignore[method-assign]
            yield unit


@dataclass(frozen=True, slots=True)
class HallBackup:
    """A copy of the database, and when it was made. The key store is kept elsewhere."""

    database: bytes
    at_ms: int


class Hall:
    """A backend. ``backend`` has the use cases; :meth:`answer` is what terminals reach."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._engine = open_engine(_IN_MEMORY)
        self._fill(_empty_database())
        self._kill_point = KillPoint()
        self.letters = LettersInMemory()
        self.up = True
        """Whether the process runs; a killed one is started by :meth:`restart`."""
        self.deaths = 0
        self.work = KillableWork(self._engine, self._kill_point)
        self.backend = Backend(
            work=self.work, keys=MemoryKeyStore(randomness), clock=clock, randomness=randomness,
            letters=self.letters, authorities=(training_ca_certificate(),),
        )  # fmt: skip

    @property
    def town_ms(self) -> int:
        """The true time, whatever the backend's own clock says."""
        clock = self.backend.clock
        return clock.town_ms if isinstance(clock, DeviceClock) else clock.unix_ms()

    @property
    def engine(self) -> Engine:
        """The database, for those who look at it between two transactions."""
        return self._engine

    def answer(self, request: Request) -> Answer:
        """What a terminal gets: see ``simulator.town.line.Exchanger``."""
        if not self.up:
            raise ConnectionRefusedError
        try:
            return self.backend.exchange.answer(request)
        except Killed as killed:
            self.died()
            raise ConnectionResetError from killed

    def kill_at(self, number: int, side: Side) -> None:
        """Dies before or after its ``number``-th commit from now.

        Within :meth:`answer` the terminal loses its connection; whoever called a use case
        gets Killed itself, and says :meth:`died`.
        """
        self._kill_point.arm(number, side)

    def died(self) -> None:
        """The process is gone with its memory; what was not committed is rolled back."""
        self.up = False
        self.backend.dialogues.forget()
        self.backend.last_look.forget()
        self.deaths += 1

    def restart(self) -> None:
        """Starts the process, on the database as it is. No kill point is left."""
        self._kill_point.arm(0, "before")
        self.up = True

    def backup(self) -> HallBackup:
        """A copy of the database between two transactions."""
        now_ms = self.backend.clock.unix_ms()
        with self._raw() as connection:
            return HallBackup(connection.serialize(), now_ms)

    def restore(self, backup: HallBackup, *, declared: bool = True) -> None:
        """The database as it was copied, and a process started on it.

        ``declared``: the operator says so before any till calls, as the guide asks; loads and
        payments wait then until ``backend.recovery.end``.
        """
        self._fill(backup.database)
        self.backend.dialogues.forget()
        self.backend.last_look.forget()
        self.restart()
        if declared:
            self.backend.recovery.begin("operator")

    def close(self) -> None:
        """Forgets the database."""
        self._engine.dispose()

    @contextmanager
    def _raw(self) -> Generator[sqlite3.Connection]:
        pooled = self._engine.raw_connection()
        try:
            assert isinstance(pooled.driver_connection, sqlite3.Connection)
            yield pooled.driver_connection
        finally:
            pooled.close()

    def _fill(self, database: bytes) -> None:
        source = sqlite3.connect(":memory:")
        try:
            source.deserialize(database)
            with self._raw() as connection:
                connection.execute("PRAGMA query_only = OFF").close()
                source.backup(connection)
        finally:
            source.close()


@cache
def _empty_database() -> bytes:
    """A migrated database, once a process."""
    engine = open_engine(_IN_MEMORY)
    try:
        migrate(engine)
        pooled = engine.raw_connection()
        try:
            assert isinstance(pooled.driver_connection, sqlite3.Connection)
            return pooled.driver_connection.serialize()
        finally:
            pooled.close()
    finally:
        engine.dispose()
