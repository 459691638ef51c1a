"""``python -m tests.fuzz card|library|decoders|module [--minutes M] [--seed S] [--round N]``."""

import argparse
import sys
from collections.abc import Callable

from cardlib.system import SystemClock
from tests.fuzz import card, decoders, library, module_card
from tests.fuzz.finding import FindingError

FUZZERS: dict[str, Callable[[int, int], object]] = {
    "card": card.play,
    "library": library.play,
    "decoders": decoders.play,
    "module": module_card.play,
}
TELL_EVERY_MS = 15_000


def main() -> int:
    """Runs one fuzzer; 1 when it found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("fuzzer", choices=FUZZERS)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="this one round only")
    chosen = parser.parse_args()
    try:
        if chosen.round is not None:
            FUZZERS[chosen.fuzzer](chosen.seed, chosen.round)
        else:
            _run(chosen.fuzzer, chosen.seed, chosen.minutes)
    except FindingError as found:
        print(found)
        return 1
    return 0


def _run(fuzzer: str, seed: int, minutes: float) -> None:
    clock, play, number = SystemClock(), FUZZERS[fuzzer], 0
    start = told = clock.monotonic_ms()
    while (now := clock.monotonic_ms()) - start < minutes * 60_000:
        play(seed, number)
        number += 1
        if now - told > TELL_EVERY_MS:
            told = now
            print(f"fuzz {fuzzer}: {number} rounds, {(now - start) // 1000} s", flush=True)
    print(f"fuzz {fuzzer}: {number} rounds with seed {seed}, nothing found")


if __name__ == "__main__":
    sys.exit(main())
