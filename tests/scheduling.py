"""Which tests one worker of pytest-xdist runs one after the other.

Each test goes to any worker, but tests that share something dear stay together: it is made
once, instead of once on every worker. They are named here by their files, because who deals
the tests out knows nothing of them but their names. (xdist's own ``xdist_group`` hands a mark
over inside the name, which pytest 9.2 no longer lets it: the mark is ignored, silently.)
"""

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


def shared_by(test: str) -> str | None:
    """What the test of this name (pytest's node id) shares with others; None for nothing."""
    return TOGETHER.get(test.partition("::")[0])


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals out, in the order of collection, single tests and those that stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(nodeid) or nodeid
