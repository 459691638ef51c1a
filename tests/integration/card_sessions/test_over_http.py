"""Card sessions as a station meets them: signed requests, signed answers, refusals."""

from collections.abc import Generator

import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from backend.composition import Backend
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from cardlib.wire.http_signatures import Answer, Request, key_id, sign_request, verify_answer
from cardlib.wire.service import CARD_SESSIONS, Refusal, card_session_answers
from terminal.agent.card_session import run_session, transmit
from tests.integration.card_sessions.bench import DESK, TILL, Town, station_key

BASE = "http://testserver"


class RefusedError(Exception):
    """The service said no, and signed it."""


class HttpUplink:
    """A station's signed line; every answer is verified."""

    def __init__(self, client: TestClient, town: Town, terminal: int = DESK) -> None:
        self._client, self._town, self._key = client, town, station_key(terminal)
        self._nonces = 0

    def open(self, opening: SessionOpening) -> SessionCommands:
        return SessionCommands.decode(self.post(CARD_SESSIONS, opening.encode()))

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        path = card_session_answers(session)
        return SessionCommands.decode(self.post(path, answers.encode()))

    def post(self, path: str, body: bytes) -> bytes:
        self._nonces += 1
        nonce = f"{self._key.public.raw.hex()[:8]}{self._nonces}"
        request = sign_request(
            Request("POST", BASE + path, {}, body), self._key.sign, key=key_id(self._key.public),
            created=self._town.clock.now_s, nonce=nonce,
        )  # fmt: skip
        got = self._client.post(request.url, headers=request.headers, content=request.body)
        answer = Answer(got.status_code, dict(got.headers), got.content, request)
        verify_answer(answer, self._town.keys.operator_key().public, nonce)
        if got.status_code != 200:
            raise RefusedError(got.status_code, Refusal.decode(got.content).code)
        return got.content


@pytest.fixture
def client(town: Town) -> Generator[TestClient]:
    backend = Backend(
        work=town.work, keys=town.keys, clock=town.clock, randomness=town.randomness,
        letters=town.letters,
    )  # fmt: skip
    with TestClient(create_app(backend)) as client:
        yield client


def test_a_card_is_made_and_loaded_over_http(town: Town, client: TestClient) -> None:
    card = town.stock_card()
    uplink = HttpUplink(client, town)

    made = run_session(card.line, uplink, SessionOpening("personalise", card.serial))
    order = town.order(card, 5000)
    done = run_session(card.line, uplink, SessionOpening("load", ""))

    assert (made.outcome, done.outcome, done.cents) == ("PURSE_MADE", "LOAD_DONE", 5000)
    assert (card.wallet(), town.order_state(order)) == (5000, "on_card")


def test_a_step_sent_twice_is_answered_twice_alike(town: Town, client: TestClient) -> None:
    card = town.purse_card()
    uplink = HttpUplink(client, town)
    commands = uplink.open(SessionOpening("load", ""))
    answers = SessionAnswers(1, transmit(card.line, commands.commands))
    assert uplink.step(commands.session, answers) == uplink.step(commands.session, answers)


def test_refusals_are_signed_and_have_their_code(town: Town, client: TestClient) -> None:
    desk, till = HttpUplink(client, town), HttpUplink(client, town, TILL)
    commands = desk.open(SessionOpening("load", ""))
    for refused, expected in (
        (lambda: till.step(commands.session, SessionAnswers(1, ())), "CARD_SESSION_OTHER_STATION"),
        (lambda: desk.step("nothing", SessionAnswers(1, ())), "CARD_SESSION_UNKNOWN"),
        (lambda: desk.open(SessionOpening("dance", "")), "CARD_SESSION_PURPOSE"),
        (lambda: desk.open(SessionOpening("personalise", "0")), "STOCK_CARD_UNKNOWN"),
        (lambda: desk.post(CARD_SESSIONS, b"\xff"), "NOT_CANONICAL"),
    ):
        with pytest.raises(RefusedError, match=expected):
            refused()
