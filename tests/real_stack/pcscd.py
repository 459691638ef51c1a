"""Fixtures for tests on the real stack: a pcscd of one's own, and virtual cards in it.

Use ``pcscd`` for the daemon (its ``environment`` is what clients need), ``insert`` to
put a card into one of its two slots until the test ends, ``tool`` to run a program
against it with a time limit.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cardlib.connection import CardConnection
from cardlib.system import SystemClock
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.private_pcscd import DEVICE, PrivatePcscd
from simulator.vpcd import Tracer, VirtualReader

TOOL_S = 20
SEEN_S = 5.0
_POLL_S = 0.1
POLL_S = 0.5

Tool = Callable[..., subprocess.CompletedProcess[bytes]]
Insert = Callable[..., VirtualReader]


@pytest.fixture(scope="session")
def pcscd() -> Iterator[PrivatePcscd]:
    """The real daemon with two virtual readers, for the whole session.

    This process is its client too: the PC/SC library looks at its environment once.
    """
    # A socket's path may have no more than 107 bytes: pytest's own directories are too deep.
    with (
        tempfile.TemporaryDirectory(prefix="pcscd") as directory,
        PrivatePcscd(Path(directory), SystemClock()) as daemon,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in daemon.environment.items():
            environment.setenv(name, value)
        yield daemon


@pytest.fixture
def breakable(pcscd: PrivatePcscd) -> Iterator[PrivatePcscd]:
    """The same daemon, to be killed and renamed: afterwards it is as it was."""
    yield pcscd
    pcscd.kill()
    pcscd.install(DEVICE)
    pcscd.start()


@pytest.fixture
def tool(pcscd: PrivatePcscd) -> Tool:
    """Runs a program against the daemon: ``tool("opensc-tool", "--name")``."""

    def run(*command: str | Path, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "LC_ALL": "C", **pcscd.environment}
        limited = ["timeout", str(TOOL_S), *map(str, command)]
        return subprocess.run(
            limited, env=environment, input=stdin, capture_output=True, check=False
        )

    return run


@pytest.fixture
def insert(pcscd: PrivatePcscd, tool: Tool) -> Iterator[Insert]:
    """Puts a card (or a connection with faults around one) into ``slot``; returns once seen."""
    with ExitStack() as readers:

        def put(
            card: VirtualCard | CardConnection,
            slot: int = 0,
            tracer: Tracer | None = None,
            reinsert: Callable[[], None] | None = None,
        ) -> VirtualReader:
            connection = InProcessConnection(card) if isinstance(card, VirtualCard) else card
            address = ("127.0.0.1", pcscd.port + slot)
            reader = VirtualReader(connection, address, tracer, reinsert)
            readers.enter_context(reader)
            assert reader.connected.wait(SEEN_S)
            await_card(tool, slot)
            return reader

        yield put
    await_empty(tool)
    # pcscd may have said "empty" when the transmission failed, before its poll saw it too:
    # a card put in before that poll would never be noticed.
    SystemClock().sleep(POLL_S)


def await_card(tool: Tool, slot: int = 0) -> None:
    """Waits until clients find a card in ``slot``; a client that holds it does not matter."""
    _await(lambda: slot in _occupied(tool), "pcscd never saw the card")


def await_empty(tool: Tool) -> None:
    """Waits until no slot holds a card, so that the next test's is noticed as new."""
    _await(lambda: not _occupied(tool), "pcscd still sees a card")


def _occupied(tool: Tool) -> list[int]:
    """Slots with a card: the lines of the list are ``number, Yes or No, name``."""
    lines = tool("opensc-tool", "--list-readers").stdout.decode().splitlines()
    columns = (line.split() for line in lines)
    return [int(line[0]) for line in columns if len(line) > 1 and line[1] == "Yes"]


def _await(condition: Callable[[], bool], otherwise: str) -> None:
    clock = SystemClock()
    for _ in range(int(SEEN_S / _POLL_S)):
        if condition():
            return
        clock.sleep(_POLL_S)
    pytest.fail(otherwise)
