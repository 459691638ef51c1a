"""The exchange without HTTP around it: the same answers, from inside one process."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from backend.composition import Backend
from backend.services.exchange.exchange import Exchange
from backend.services.exchange.routes import ROUTES, find_route
from cardlib.wire import service
from cardlib.wire.http_signatures import Answer, Request, key_id, sign_request, verify_answer
from cardlib.wire.service import Refusal
from cardlib.wire.upload import Acknowledgement, Batch, Outcome
from tests.integration.backend.builders import Till, Town
from tests.integration.backend.test_http import NoLetters

BASE = "http://testserver"


@pytest.fixture
def backend(town: Town) -> Backend:
    return Backend(
        work=town.work, keys=town.keys, clock=town.clock, randomness=town.randomness,
        letters=NoLetters(),
    )  # fmt: skip


@pytest.fixture
def exchange(backend: Backend) -> Exchange:
    return backend.exchange


def signed(till: Till, method: str, path: str, body: bytes = b"", nonce: str = "n1") -> Request:
    request = sign_request(
        Request(method, BASE + path, {}, body), till.key.sign, key=key_id(till.key.public),
        created=till.town.clock.seconds, nonce=nonce,
    )  # fmt: skip
    return replace(request, headers={name.lower(): text for name, text in request.headers.items()})


def test_a_batch_is_taken_without_http(town: Town, exchange: Exchange) -> None:
    till = town.till()
    till.sell(town.chip_with(5000), 700)
    body = Batch(till.number, tuple(till.journal)).encode()
    answer = exchange.answer(signed(till, "POST", service.ENTRIES, body))
    operator = town.keys.operator_key().public
    verify_answer(answer, operator, "n1")
    verdicts = Acknowledgement.open(answer.body, operator).verdicts
    assert [verdict.outcome for verdict in verdicts] == [Outcome.CREATED] * 2


@pytest.mark.parametrize("path", [service.BUNDLE, service.card_session_answers("none"), "/v1/no"])
def test_http_says_what_the_exchange_says(town: Town, backend: Backend, path: str) -> None:
    till, method = town.till(), "GET" if path == service.BUNDLE else "POST"
    said = backend.exchange.answer(signed(till, method, path))
    request = signed(till, method, path, nonce="n2")
    with TestClient(create_app(backend)) as client:
        got = client.request(method, request.url, headers=request.headers, content=request.body)
    assert got.status_code == said.status_code
    if got.status_code != 404 or "signature" in got.headers:
        verify_answer(
            Answer(got.status_code, dict(got.headers), got.content, request),
            town.keys.operator_key().public, "n2",
        )  # fmt: skip
        assert got.content == said.body
        assert {name.lower() for name in said.headers} <= set(got.headers)


def test_a_nonce_used_over_one_way_is_used_up_for_the_other(town: Town, backend: Backend) -> None:
    till = town.till()
    request = signed(till, "GET", service.BUNDLE)
    assert backend.exchange.answer(request).status_code == 200
    with TestClient(create_app(backend)) as client:
        got = client.get(request.url, headers=request.headers)
    assert Refusal.decode(got.content).code == "REQUEST_REPLAYED"


def test_a_body_above_the_bound_is_refused_unsigned(exchange: Exchange, town: Town) -> None:
    long = signed(town.till(), "POST", service.ENTRIES, bytes(5 * 1024 * 1024))
    answer = exchange.answer(long)
    assert (answer.status_code, Refusal.decode(answer.body).code) == (400, "BODY_TOO_LONG")
    assert "signature" not in answer.headers


def test_every_documented_path_has_a_route() -> None:
    documented = [line.split() for line in (service.__doc__ or "").splitlines() if "/v1/" in line]
    paths = {(method, path.replace("SESSION", "s1")) for path, method, *_ in documented}
    assert len(paths) == len(ROUTES)
    assert all(find_route(*pair) is not None for pair in paths)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/entries"), ("POST", "/v1/card-sessions//answers"), ("GET", "/v1/bundle/")],
)
def test_what_is_no_route_is_not_found(
    exchange: Exchange, town: Town, method: str, path: str
) -> None:
    answer = exchange.answer(signed(town.till(), method, path))
    assert (answer.status_code, answer.body) == (404, b"")


def test_a_session_is_named_by_its_path() -> None:
    found = find_route("POST", service.card_session_answers("a%20b"))
    assert found is not None
    assert found[1] == {"session": "a b"}
