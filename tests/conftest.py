"""Options and rules for all tests.

A test that needs a part of the real stack says so by its marker (``pcsc``, ``postgres``).
When that part is missing the test fails: it is left out only by the explicit choice of
``--without-pcsc`` or ``--without-postgres``. Each worker of pytest-xdist starts a pcscd and
a PostgreSQL of its own.

A test that takes half a minute and more is marked ``long``: it is begun first, so that no
worker is left alone with it at the end. In which order the others come: tests/scheduling.py.
"""

import os
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest
from nacl.pwhash import argon2id
from xdist.remote import Producer

from tests import needs
from tests.cases import beyond_some
from tests.databases import cluster, databases, engine, on_postgres, on_sqlite, superfluous
from tests.scheduling import Scheduling, in_turn

__all__ = ["cluster", "databases", "engine", "on_postgres", "on_sqlite"]

REAL_STACK = Path(__file__).parent / "real_stack"


@pytest.fixture(scope="session", autouse=True)
def one_key_for_one_passphrase() -> Generator[None]:
    """Argon2 is slow on purpose: what it made of the same input is not made again.

    Tests open the same key files over and over. Another passphrase, salt or cost is computed.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argon2id, "kdf", cache(argon2id.kdf))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    for group in needs.GROUPS:
        parser.addoption(
            f"--without-{group}",
            action="store_true",
            help=f"leave out the tests that need {group}, instead of failing without it",
        )
    parser.addoption("--reader", help="device ring: part of the name of a real reader")
    parser.addoption(
        "--write-training-card",
        action="store_true",
        help="device ring: also write, on a card with training purses only",
    )
    parser.addoption("--training-pin", help="device ring: PIN of that purse, if not 12345")


def _left_out(config: pytest.Config, group: str) -> bool:
    return bool(config.getoption(f"--without-{group}"))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    config.option.loadscopereorder = False  # the order is ours, see above
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    dropped = superfluous(items, os.environ) | beyond_some(items, os.environ)
    if dropped:
        config.hook.pytest_deselected(items=list(dropped))
        items[:] = [item for item in items if item not in dropped]
    items[:] = in_turn(items)
    for item in items:
        groups = [group for group in needs.GROUPS if item.get_closest_marker(group)]
        if not groups and REAL_STACK in item.path.parents:
            raise pytest.UsageError(f"{item.nodeid} needs one of the markers {needs.GROUPS}")
        for group in groups:
            if _left_out(config, group):
                item.add_marker(pytest.mark.skip(reason=f"--without-{group}"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    present = [group for group in needs.GROUPS if item.get_closest_marker(group)]
    lacking = needs.missing(present)
    if lacking:
        names = ", ".join(f"{need.what} ({need.package})" for need in lacking)
        pytest.fail(f"missing here: {names}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns the skip of a real-stack test into a failure, unless it was asked for."""
    report = yield
    wanted = [group for group in needs.GROUPS if item.get_closest_marker(group)]
    if report.skipped and wanted and not any(_left_out(item.config, group) for group in wanted):
        report.outcome = "failed"
        report.longrepr = f"a real-stack test may not be skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Does the same for a whole module that skips itself, as ``importorskip`` does."""
    report = yield
    explicit = any(_left_out(collector.config, group) for group in needs.GROUPS)
    if report.outcome == "skipped" and REAL_STACK in collector.path.parents and not explicit:
        report.outcome = "failed"
        report.longrepr = f"a real-stack module may not be skipped: {report.longrepr}"
    return report
