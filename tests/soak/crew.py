"""The processes of a town: started, killed at random moments, started again."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.soak.town import SoakTown

TICK_S = 0.02
LIFE_S = {"backend": 6.0, "agent": 2.0, "till": 4.0}
"""How long a process lives at most, once it has said its first word."""
STILLBORN, START_S = 0.15, 1.0
"""The share that is killed while it starts, and within which time."""
START_MAX_S = 60
WITH_ME = ("setpriv", "--pdeathsig", "KILL")
"""Nobody outlives the soak, however that ends."""
LOOPBACK = "127.0.0.1"
END_S = 20


@dataclass(slots=True)
class Member:
    """One process and its successors. Lives are drawn from its own seed."""

    kind: str
    line: list[str]
    environment: dict[str, str]
    log: Path
    rng: Random
    process: subprocess.Popen[bytes] | None = None
    dies_at_ms: int = 0
    silent: int = -1
    """Bytes in its log before its first word; -1 once it has spoken, or need not."""
    kills: int = 0
    ended: list[str] = field(default_factory=list)
    """What became of those that nobody killed: none may end by itself."""

    def start(self, now_ms: int) -> None:
        """A new process, and how long it has."""
        early = self.rng.random() < STILLBORN
        self.silent = -1 if early else _size(self.log)
        longest = self.rng.uniform(0, START_S) if early else START_MAX_S
        self.dies_at_ms = now_ms + int(1000 * longest)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*WITH_ME, *self.line], env=os.environ | self.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def go_on(self, now_ms: int) -> None:
        """Kills it when its time has come; one that ended or was killed is started again."""
        assert self.process is not None
        if 0 <= self.silent < _size(self.log):
            self.silent = -1
            self.dies_at_ms = now_ms + int(1000 * self.rng.uniform(0, LIFE_S[self.kind]))
        code = self.process.poll()
        if code is not None:
            self.ended.append(f"{self.log.name}: ended by itself with exit code {code}")
        elif now_ms < self.dies_at_ms:
            return
        elif self.silent >= 0:
            raise AssertionError(f"{self.log}: does not start")
        else:
            self.kill()
        self.start(now_ms)

    def kill(self) -> None:
        """SIGKILL, to this process alone."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.kills += 1

    def end(self) -> int | None:
        """Asks it to end in good order; its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(END_S)
        self.kill()
        return None


class Crew:
    """All processes of a town. ``kills`` counts by kind."""

    def __init__(self, town: SoakTown, seed: int) -> None:
        self._town = town
        self._seed = seed
        self.members = [self._backend(), *self._agents(), *self._tills()]

    @property
    def kills(self) -> Counter[str]:
        """SIGKILLs so far, by kind of process."""
        counted: Counter[str] = Counter()
        for member in self.members:
            counted[member.kind] += member.kills
        return counted

    @property
    def ended(self) -> list[str]:
        """Processes that ended though nobody had killed them: why is in their logs."""
        return [what for member in self.members for what in member.ended]

    def work(self, seconds: float, look: Callable[[], None]) -> None:
        """The random loop; ``look`` is called at every tick."""
        clock = self._town.clock
        end_ms = clock.monotonic_ms() + int(seconds * 1000)
        for member in self.members:
            member.start(clock.monotonic_ms())
        while clock.monotonic_ms() < end_ms:
            for member in self.members:
                member.go_on(clock.monotonic_ms())
            look()
            clock.sleep(TICK_S)

    def end(self) -> None:
        """Tills and agents are killed once more, the backend too: nobody tidies up."""
        for member in self.members:
            member.kill()

    def _backend(self) -> Member:
        folder = str(self._town.directory / "backend")
        line = ["backend", "serve", "--dir", folder, "--host", LOOPBACK]
        return self._member("backend", "backend", *line, "--port", str(self._town.port))

    def _agents(self) -> Iterator[Member]:
        for shop in self._town.tills:
            folder = str(shop.directory)
            name = f"agent-{shop.directory.name}"
            yield self._member("agent", name, "sync", "run", "--dir", folder)

    def _tills(self) -> Iterator[Member]:
        for shop in self._town.tills:
            name = shop.directory.name
            line = [sys.executable, "-m", "tests.soak.till_worker"]
            arguments = [str(self._town.directory), name, f"{self._seed} {name}"]
            yield self._made("till", name, [*line, *arguments])

    def _member(self, kind: str, name: str, *arguments: str) -> Member:
        return self._made(kind, name, [sys.executable, "-m", "borsellino", *arguments])

    def _made(self, kind: str, name: str, line: list[str]) -> Member:
        log = self._town.directory / f"{name}.log"
        return Member(kind, line, self._town.environment, log, Random(f"{self._seed} {name}"))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
