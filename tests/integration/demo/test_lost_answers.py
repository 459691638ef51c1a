"""The backend dies between its commit and its answer, and tills send twice or crosswise."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.services.export.export import write_export
from backend.verifier.audit import audit
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.money import Money
from cardlib.wire.service import ENTRIES
from cardlib.wire.upload import Batch
from simulator.town.demo.people import FOOD, GROCER, MARIA
from simulator.town.demo.readers import untouched
from simulator.town.demo.town_hall import TownHall
from tests.integration.demo.town import Town


class DiesBeforeAnswering:
    """The service does all its work on an upload, commits, and is killed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def last_words(message: Message) -> None:
            if scope["type"] == "http" and scope["path"] == ENTRIES:
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await self._app(scope, receive, last_words)


@pytest.fixture(scope="module")
def town(founded: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with founded.copied(tmp_path_factory.mktemp("lost")) as town:
        yield town


def doomed_backend(town: Town) -> int:
    """The service in a process of its own that dies at the first upload; its process id."""
    child = os.fork()
    if child == 0:
        clock, randomness = SystemClock(), SystemRandomness()
        with (
            TownHall(town.directory / "backend", "secret", clock, randomness) as hall,
            hall.serve(town.port, DiesBeforeAnswering),
        ):
            clock.sleep(30)
        os._exit(1)
    return child


def await_port(port: int) -> None:
    """Returns once somebody listens."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        SystemClock().sleep(0.1)
    pytest.fail("the backend never listened")


def test_a_backend_killed_between_commit_and_answer_is_asked_again(town: Town) -> None:
    assert town.sell(GROCER.key, untouched) is not None
    shop = town.story.shops[GROCER.key]
    child = doomed_backend(town)
    await_port(town.port)
    report = shop.synchronise()
    _, status = os.waitpid(child, 0)

    assert os.WIFSIGNALED(status)
    assert report.problem
    assert shop.entries_here() > 0
    town.synchronise_and_compare()
    assert shop.entries_here() == 0


def test_the_same_batch_twice_and_two_batches_crossed_are_posted_once(town: Town) -> None:
    for _ in range(2):
        town.sell(GROCER.key, untouched)
    shop = town.story.shops[GROCER.key]
    entries = shop.journal_bytes()
    half = len(entries) // 2
    batches = [entries, entries[half:], entries[:half], entries]
    terminal = shop.terminal()
    for batch in batches:
        town.hall.backend.ingest.submit(Batch(terminal, tuple(batch)), terminal)

    town.synchronise_and_compare()
    assert town.balance() >= Money(0)


def test_after_that_the_independent_verifier_finds_nothing(town: Town, tmp_path: Path) -> None:
    write_export(town.hall.backend.work, tmp_path, SystemClock().unix_ms() // 1000)
    verdict = audit(tmp_path)

    assert verdict.holds, list(verdict.findings)


def test_a_card_is_still_good_afterwards(town: Town) -> None:
    before = town.balance()
    with town.story.reader.insert(town.story.image(MARIA)) as card:
        result, _ = town.story.shops[GROCER.key].sell(
            card, town.story.pin(MARIA), [(FOOD, Money(10))]
        )

    assert result.goods_are_due
    assert before - town.balance() == Money(10)
