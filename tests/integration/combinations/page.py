"""The page docs/combinations.md, made from what was tried."""

from collections.abc import Mapping
from pathlib import Path

from simulator.card.masks import MASKS
from tests.integration.combinations.shops import MODULES
from tests.integration.combinations.space import (
    DRIVERS,
    PROTOCOLS,
    SUITES,
    Combination,
    Impossible,
    Outcome,
    Sold,
)

PAGE = Path(__file__).parents[3] / "docs" / "combinations.md"
HEAD = """\
# Sales on every combination

Masks, suites, drivers, security modules and protocols: every combination, tried. Made by
`python -m tests.integration.combinations`; a test tries all of them again and compares.

Each sale goes from the enrolment of the till and the personalisation and load of the card
to the receipt. A sale counts the commands that go over the interface and their bytes, one
wallet, read for the first time; *oracle* marks a sale that never proves itself (a legacy
chip). What is impossible is so by what the card itself says: its answer to reset, or the
status with which it refuses the one command that the driver needs. Suite 1 is AES-128,
suite 2 two-key TDEA.

"""


def page(found: Mapping[Combination, Outcome]) -> str:
    """The whole page."""
    made = sum(isinstance(outcome, Sold) for outcome in found.values())
    sizes = (len(MASKS), len(SUITES), len(DRIVERS), len(MODULES), len(PROTOCOLS))
    words = "{} masks × {} suites × {} drivers × {} modules × {} protocols".format(*sizes)
    counts = f"{words} = {len(found)} combinations: {made} run, {len(found) - made} are impossible."
    return HEAD + counts + "\n\n" + _runs(found) + "\n" + _impossible(found)


def _runs(found: Mapping[Combination, Outcome]) -> str:
    """One line a mask and suite; a column a module."""
    lines = ["## Run", "", f"| mask | suite | driver | protocol | {' | '.join(MODULES)} |"]
    lines.append("|---" * (4 + len(MODULES)) + "|")
    for mask in MASKS:
        for suite in SUITES:
            for driver in DRIVERS:
                for protocol in PROTOCOLS:
                    made = [
                        found[Combination(mask, suite, driver, module, protocol)]
                        for module in MODULES
                    ]
                    if any(isinstance(item, Sold) for item in made):
                        told = " | ".join(map(str, made))
                        lines.append(f"| {mask} | {suite} | {driver} | T={protocol} | {told} |")
    return "\n".join(lines) + "\n"


def _impossible(found: Mapping[Combination, Outcome]) -> str:
    """One line a mask: drivers and protocol with their reasons, for both suites and modules."""
    lines = ["## Impossible", "", "| mask | protocol or driver | reason | combinations |"]
    lines.append("|---" * 4 + "|")
    for mask in MASKS:
        reasons: dict[tuple[str, str], int] = {}
        for wanted, outcome in found.items():
            if wanted.mask == mask and isinstance(outcome, Impossible):
                key = _what(wanted, outcome), outcome.reason
                reasons[key] = reasons.get(key, 0) + 1
        for (what, reason), count in sorted(reasons.items()):
            lines.append(f"| {mask} | {what} | {reason} | {count} |")
    return "\n".join(lines) + "\n"


def _what(wanted: Combination, outcome: Impossible) -> str:
    if outcome.reason.startswith("its ATR"):
        return f"T={wanted.protocol}"
    if outcome.reason.startswith("no purse"):
        return f"suite {wanted.suite}"
    if outcome.reason.startswith("refused"):
        return f"suite {wanted.suite}, {wanted.driver} driver, module {wanted.module}"
    return f"{wanted.driver} driver"
