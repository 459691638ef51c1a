"""``python -m tests.soak``: see the package."""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from cardlib.text import catalogue
from cardlib.wire.money import Money
from tests import postgres_cluster
from tests.soak.crew import Crew
from tests.soak.reckoning import Reckoning, lines, reckon
from tests.soak.town import CARDS, SoakTown

LINE_EVERY_S = 10
DATABASE = "soak"
MINUTES_MAX, STOPPED = 50, 130
"""A till's process ends by itself after an hour (``till_worker``)."""


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
    """Exit code 0 when nothing was wrong, 2 for a senseless order, 130 when it was stopped."""
    asked = _arguments()
    say(f"database {asked.database}, {asked.minutes:g} minutes, seed {asked.seed}")
    try:
        with tempfile.TemporaryDirectory(prefix="borsellino-soak-") as scratch:
            directory = asked.dir or Path(scratch) / "town"
            crew, found = soak(directory, asked.database, asked.minutes * 60, asked.seed, say)
    except KeyboardInterrupt:
        kept = f"; what was there is in {asked.dir}" if asked.dir else ""
        say(f"stopped before the end: nothing was audited{kept}")
        return STOPPED
    _tell(crew, found)
    return 1 if found.faults else 0


def _arguments() -> argparse.Namespace:
    shows = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(
        "soak", description="Kills real processes in random loops.", formatter_class=shows
    )
    parser.add_argument(
        "--database", choices=("sqlite", "postgres"), default="sqlite",
        help="where the backend keeps its books; postgres: a cluster of its own",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=10.0, help="how long they are killed")
    parser.add_argument("--seed", type=int, default=1, help="who is killed when, who buys what")
    parser.add_argument("--dir", type=Path, help="an empty folder, to keep everything in")
    asked = parser.parse_args()
    if not 0 < asked.minutes <= MINUTES_MAX:
        parser.error(f"--minutes: more than 0, at most {MINUTES_MAX}")
    if asked.dir is not None:
        _make_empty(parser, asked.dir)
    return asked


def _make_empty(parser: argparse.ArgumentParser, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--dir: {error}")
    if any(folder.iterdir()):
        parser.error(f"--dir: {folder} is not empty")


def _tell(crew: Crew, found: Reckoning) -> None:
    """What people want to know first: who was killed, what was sold, what is wrong."""
    money = catalogue.money(Money(found.cents), "en")
    say(f"killed (SIGKILL): {_told(crew.kills)}")
    say(f"sales and voids told as done: {found.sales}; spent on all cards together: {money}")
    say(f"entries in the journals: {found.entries} ({_told(found.written)})")
    say(f"found out at the end: {found.settled} by the cards, {found.told} by the backend")
    say(f"refused by the tills: {_told(found.refused)}")
    for fault in found.faults:
        say(f"WRONG: {fault}")
    say("see above" if found.faults else "not one cent astray, verifier clean")


if __name__ == "__main__":
    sys.exit(main())
