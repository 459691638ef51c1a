"""Many processes post the same entries at the same moment: each is in the books once."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

import httpx2
import pytest
import uvicorn

from backend.api.app import create_app
from backend.composition import Backend
from cardlib.wire import http_signatures
from cardlib.wire.http_signatures import Answer, Request, key_id, sign_request
from cardlib.wire.service import BUNDLE, ENTRIES, Refusal
from cardlib.wire.upload import Acknowledgement, Batch, Outcome
from tests.databases import Databases
from tests.integration.backend.books import check_export, check_laws
from tests.integration.backend.builders import SeededRandomness, Till, Town
from tests.integration.backend.test_http import NoLetters
from tests.integration.concurrency.processes import at_once, beside
from tests.integration.concurrency.sums import assert_whole, count, owed

SALES_OF_A_TILL = 6
SALE_ENTRIES = 2
SERVERS = 4
HOST = "http://town.test"


@dataclass
class Fair:
    """Tills of two shops that sold to the same few cards, and have sent nothing yet."""

    town: Town
    databases: Databases
    processes: int
    tills: list[Till] = field(default_factory=list)
    sold: Counter[object] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        shops = (self.town.shop, self.town.other_shop)
        self.tills = [self.town.till(shops[n % 2]) for n in range(self.processes // 2)]
        chips = [self.town.chip_with(50_000) for _ in range(3)]
        for number in range(SALES_OF_A_TILL * len(self.tills)):
            till, cents = self.tills[number % len(self.tills)], 101 + 7 * number
            till.sell(chips[number % len(chips)], cents)
            self.sold[till.merchant] += cents

    @property
    def entries(self) -> int:
        return SALES_OF_A_TILL * SALE_ENTRIES * len(self.tills)

    def uploads(self) -> Iterator[tuple[Till, list[Batch]]]:
        """Every till's journal twice: by the very same batches, or also by two sales at a time."""
        for again in (False, True):
            for number, till in enumerate(self.tills):
                size = SALE_ENTRIES * (2 if again and number % 2 else 1)
                starts = range(0, len(till.journal), size)
                yield (
                    till,
                    [Batch(till.number, tuple(till.journal[at : at + size])) for at in starts],
                )

    def assert_posted_once(self, answers: Sequence[list[bytes]]) -> None:
        """Nothing lost, nothing double: by what was answered, and by what is in the books."""
        operator = self.town.keys.operator_key().public
        opened = [Acknowledgement.open(item, operator) for each in answers for item in each]
        said = [(ack.terminal, item.seq, item.outcome) for ack in opened for item in ack.verdicts]
        assert {outcome for _, _, outcome in said} == {Outcome.CREATED, Outcome.EXISTS}
        created = Counter(place[:2] for place in said if place[2] is Outcome.CREATED)
        assert len(created) == self.entries
        assert set(created.values()) == {1}
        assert count(self.databases, "entry") == self.entries
        assert count(self.databases, "acknowledgement") == len(opened)
        assert_whole(self.databases)
        assert owed(self.databases) == self.sold
        check_laws(self.town)
        check_export(self.town)


@pytest.fixture
def fair(databases: Databases) -> Fair:
    postgres = databases.url.startswith("postgresql")
    return Fair(Town(databases.fresh()), databases, processes=16 if postgres else 4)


def test_the_same_and_other_batches_from_many_processes_are_posted_once(fair: Fair) -> None:
    def submit(till: Till, batches: list[Batch]) -> list[bytes]:
        return [fair.town.ingest.submit(batch, till.number) for batch in batches]

    works = [partial(submit, *upload) for upload in fair.uploads()]
    assert len(works) == fair.processes
    fair.assert_posted_once(at_once(fair.databases.engine, works))


# --- over HTTP ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Servers:
    """Some processes of the service on one database."""

    town: Town
    ports: tuple[int, ...]

    def send(self, till: Till, request: Request, port: int) -> tuple[int, bytes]:
        headers = request.headers | {"Host": HOST.removeprefix("http://")}
        url = f"http://127.0.0.1:{port}{request.url.removeprefix(HOST)}"
        with httpx2.Client(timeout=20) as client:
            got = client.request(request.method, url, headers=headers, content=request.body)
        answer = Answer(got.status_code, dict(got.headers), got.content, request)
        nonce = request.headers["Signature-Input"].split('nonce="')[1].split('"')[0]
        http_signatures.verify_answer(answer, self.town.keys.operator_key().public, nonce)
        assert till.number
        return answer.status_code, answer.body

    def request(self, till: Till, method: str, path: str, body: bytes, nonce: str) -> Request:
        return sign_request(
            Request(method, HOST + path, {}, body), till.key.sign, key=key_id(till.key.public),
            created=self.town.clock.seconds, nonce=nonce,
        )  # fmt: skip


@pytest.fixture
def servers(fair: Fair) -> Iterator[Servers]:
    with ExitStack() as open_until_the_end:
        sockets = [
            open_until_the_end.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(SERVERS)
        ]
        works = [_server(fair.town, number, item) for number, item in enumerate(sockets)]
        open_until_the_end.enter_context(beside(fair.databases.engine, works))
        yield Servers(fair.town, tuple(item.getsockname()[1] for item in sockets))


def _server(town: Town, number: int, listening: socket.socket) -> Callable[[], None]:
    def serve() -> None:
        backend = Backend(
            work=town.work, keys=town.keys, clock=town.clock,
            randomness=SeededRandomness(number), letters=NoLetters(),
        )  # fmt: skip
        config = uvicorn.Config(create_app(backend), log_level="critical", lifespan="off")
        uvicorn.Server(config).run(sockets=[listening])

    return serve


def test_several_servers_on_one_database_post_everything_once(fair: Fair, servers: Servers) -> None:
    def submit(number: int, till: Till, batches: list[Batch]) -> list[bytes]:
        answers = []
        for turn, batch in enumerate(batches):
            nonce = f"{number}-{turn}"
            request = servers.request(till, "POST", ENTRIES, batch.encode(), nonce)
            port = servers.ports[(number + turn) % SERVERS]
            status, body = servers.send(till, request, port)
            assert status == 200, Refusal.decode(body).code
            answers.append(body)
        return answers

    works = [partial(submit, number, *upload) for number, upload in enumerate(fair.uploads())]
    fair.assert_posted_once(at_once(fair.databases.engine, works))


def test_a_request_counts_once_whichever_servers_it_reaches(fair: Fair, servers: Servers) -> None:
    till = fair.tills[0]
    request = servers.request(till, "GET", BUNDLE, b"", "once")
    works = [partial(servers.send, till, request, servers.ports[n % SERVERS]) for n in range(8)]

    answers = at_once(fair.databases.engine, works)

    assert sorted(status for status, _ in answers) == [200] + [401] * 7
    codes = {Refusal.decode(body).code for status, body in answers if status != 200}
    assert codes == {"REQUEST_REPLAYED"}
