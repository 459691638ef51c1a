"""Which tests one worker of pytest-xdist runs one after the other.

Each test goes to any worker, but tests that share something dear stay together: it is made
once, instead of once on every worker. They are named here by their files, because who deals
the tests out knows nothing of them but their names. (xdist's own ``xdist_group`` hands a mark
over inside the name, which pytest 9.2 no longer lets it: the mark is ignored, silently.)
"""

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

_DEMO = "tests/integration/demo"
TOGETHER = {
    "tests/integration/commands/test_by_hand.py": "a town hall set up by hand",
    f"{_DEMO}/test_demo.py": "a demo played",
    f"{_DEMO}/test_verify.py": "a demo played",
    f"{_DEMO}/test_end_of_day.py": "a demo played",
    f"{_DEMO}/test_faults.py": "a town founded",
    f"{_DEMO}/test_lost_answers.py": "a town founded",
    f"{_DEMO}/test_key_set_roll_over.py": "a town founded",
    "tests/integration/combinations/test_combinations.py": "every combination tried",
    "tests/integration/terminal/test_pay.py": "a till enrolled by commands",
    "tests/town/test_report.py": "a town seen",
    "tests/town/test_checks_books.py": "honest books",
    "tests/town/test_checks_cards.py": "honest cards",
}
"""File: what its tests share."""


WAITING = (
    "tests/soak/", "tests/real_stack/", "tests/integration/terminal_ui/",
    "tests/integration/sync/", "tests/integration/simulator_panel/", f"{_DEMO}/",
)  # fmt: skip
"""Tests that mostly wait, for daemons, screens and processes: beside them others are busy."""


def in_turn(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Long tests first, two that are busy to one that waits: there are two cores to three workers.

    Then those that stay together, then those that wait, while the long ones are still busy.
    """
    long = [item for item in items if item.get_closest_marker("long")]
    busy = [item for item in long if not _waits(item)]
    for number, item in enumerate(filter(_waits, long)):
        busy.insert(3 * number + 2, item)
    others = (item for item in items if item not in long)
    return busy + sorted(others, key=_turn)


def _waits(item: pytest.Item) -> bool:
    return item.nodeid.startswith(WAITING)


def _turn(item: pytest.Item) -> int:
    if shared_by(item.nodeid):
        return 0
    return 1 if _waits(item) else 2


def shared_by(test: str) -> str | None:
    """What the test of this name (pytest's node id) shares with others; None for nothing."""
    return TOGETHER.get(test.partition("::")[0])


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals out, in the order of collection, single tests and those that stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(nodeid) or nodeid
