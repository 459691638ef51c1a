"""``python -m tests.soak``: see the package."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres_cluster
from tests.soak.crew import Crew
from tests.soak.reckoning import Reckoning, lines, reckon
from tests.soak.town import CARDS, SoakTown

LINE_EVERY_S = 10
DATABASE = "soak"


@contextmanager
def _database(kind: str) -> Generator[str | None]:
    """The address of an empty database; None for the SQLite file of the installation."""
    if kind == "sqlite":
        yield None
        return
    with postgres_cluster.cluster(postgres_cluster.CAREFUL) as cluster:
        cluster.do(f"CREATE DATABASE {DATABASE}")
        yield cluster.url(DATABASE)


def soak(
    directory: Path, database: str, seconds: float, seed: int, tell: Callable[[str], None],
    people: int = CARDS,
) -> tuple[Crew, Reckoning]:  # fmt: skip
    """One soak in an empty directory; who was killed how often, and what was found."""
    with _database(database) as url:
        town = SoakTown(directory, url, people)
        town.found()
        crew, start_ms = Crew(town, seed), town.clock.monotonic_ms()
        next_ms = start_ms + LINE_EVERY_S * 1000

        def look() -> None:
            nonlocal next_ms
            now_ms = town.clock.monotonic_ms()
            if now_ms >= next_ms:
                next_ms += LINE_EVERY_S * 1000
                tell(f"{(now_ms - start_ms) // 1000:5} s  {_state(town, crew)}")

        try:
            crew.work(seconds, look)
        finally:
            crew.end()
        found = reckon(town)
        found.faults += crew.ended
        return crew, found


def _state(town: SoakTown, crew: Crew) -> str:
    sales = sum(len(lines(shop.directory / "sales")) for shop in town.tills)
    return f"{sales} sales; killed: {_told(crew.kills)}"


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in sorted(counted.items())) or "-"


def say(text: str) -> None:
    """A line for whoever waits."""
    print(text, flush=True)


def main() -> int:
    """Exit code 0 when nothing was wrong."""
    parser = argparse.ArgumentParser("soak", description="Kill loops on real processes.")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="an empty folder that is kept")
    asked = parser.parse_args()
    say(f"database {asked.database}, {asked.minutes} minutes, seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="borsellino-soak-") as scratch:
        directory = asked.dir or Path(scratch) / "town"
        crew, found = soak(directory, asked.database, asked.minutes * 60, asked.seed, say)
    kills = sum(crew.kills.values())
    say(f"{found.sales} sales, {found.entries} entries, {found.cents} cents, {kills} SIGKILLs")
    say(f"{_told(found.written)}; {found.settled} settled and {found.told} told at the end")
    say(_told(found.refused))
    for fault in found.faults:
        say(f"WRONG: {fault}")
    say("not one cent astray, verifier clean" if not found.faults else "see above")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
