"""The service as a terminal meets it: signed requests, signed answers, refusals."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import pytest
from fastapi.testclient import TestClient

from backend.api.app import create_app
from backend.composition import Backend
from cardlib.errors import AuthenticityError
from cardlib.wire import http_signatures
from cardlib.wire.bundle import Bundle
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import EnrolmentAnswer, EnrolmentRequest
from cardlib.wire.http_signatures import Answer, Request, key_id, sign_request, verify_answer
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.service import BUNDLE, ENROLMENTS, ENTRIES, Refusal
from cardlib.wire.upload import Acknowledgement, Batch, Outcome
from tests.integration.backend.books import payable
from tests.integration.backend.builders import Till, Town

BASE = "http://testserver"
DAY = 24 * 3600


class NoLetters:
    """No purse is made here."""

    def issue(self, *_args: object) -> None:
        raise AssertionError

    def reissue(self, *_args: object) -> None:
        raise AssertionError


@dataclass
class Line:
    """A terminal's connection: signs, sends, and verifies what comes back."""

    client: TestClient
    town: Town
    key: SigningKey
    nonces: int = 0

    def request(
        self, method: str, path: str, body: bytes = b"", *, ahead: int = 0, nonce: str = ""
    ) -> Request:
        self.nonces += 1
        return sign_request(
            Request(method, BASE + path, {}, body), self.key.sign, key=key_id(self.key.public),
            created=self.town.clock.seconds + ahead, nonce=nonce or f"n{self.nonces}",
        )  # fmt: skip

    def send(self, request: Request) -> tuple[int, bytes]:
        """Status and body of an answer that the operator signed for this very request."""
        answer = self.send_unverified(request)
        nonce = request.headers["Signature-Input"].split('nonce="')[1].split('"')[0]
        verify_answer(answer, self.town.keys.operator_key().public, nonce)
        return answer.status_code, answer.body

    def send_unverified(self, request: Request) -> Answer:
        got = self.client.request(
            request.method, request.url, headers=request.headers, content=request.body
        )
        return Answer(got.status_code, dict(got.headers), got.content, request)

    def refused(self, request: Request) -> tuple[int, str]:
        status, body = self.send(request)
        return status, Refusal.decode(body).code


@pytest.fixture
def client(town: Town) -> Generator[TestClient]:
    backend = Backend(
        work=town.work, keys=town.keys, clock=town.clock, randomness=town.randomness,
        letters=NoLetters(),
    )  # fmt: skip
    with TestClient(create_app(backend)) as client:
        yield client


@pytest.fixture
def till(town: Town) -> Till:
    return town.till()


@pytest.fixture
def line(client: TestClient, town: Town, till: Till) -> Line:
    return Line(client, town, till.key)


def test_a_batch_goes_in_and_its_acknowledgement_comes_back(
    town: Town, till: Till, line: Line
) -> None:
    till.sell(town.chip_with(5000), 700)
    body = Batch(till.number, tuple(till.journal)).encode()
    status, answer = line.send(line.request("POST", ENTRIES, body))
    acknowledgement = Acknowledgement.open(answer, town.keys.operator_key().public)
    assert status == 200
    assert [verdict.outcome for verdict in acknowledgement.verdicts] == [Outcome.CREATED] * 2
    assert payable(town, town.shop) == 700


def test_a_replayed_upload_is_harmless(town: Town, till: Till, line: Line) -> None:
    till.sell(town.chip_with(5000), 700)
    request = line.request("POST", ENTRIES, Batch(till.number, tuple(till.journal)).encode())
    assert line.send(request)[0] == line.send(request)[0] == 200
    assert payable(town, town.shop) == 700


def test_a_replayed_request_for_the_bundle_is_refused(line: Line) -> None:
    request = line.request("GET", BUNDLE)
    assert line.send(request)[0] == 200
    assert line.refused(request) == (401, "REQUEST_REPLAYED")


def test_the_bundle_is_signed_by_the_operator(town: Town, line: Line) -> None:
    status, body = line.send(line.request("GET", BUNDLE))
    bundle = Bundle.open(body, town.keys.operator_key().public)
    assert status == 200
    assert [programme.name for programme in bundle.programmes] == ["Buoni spesa"]


@pytest.mark.parametrize(("ahead", "status"), [(6 * DAY, 200), (-6 * DAY, 200), (8 * DAY, 401)])
def test_a_till_with_a_bad_clock_can_still_upload(
    line: Line, till: Till, ahead: int, status: int
) -> None:
    request = line.request("POST", ENTRIES, Batch(till.number, ()).encode(), ahead=ahead)
    assert line.send(request)[0] == status


def test_a_clock_too_far_off_is_told_the_signed_time(town: Town, line: Line) -> None:
    status, body = line.send(line.request("GET", BUNDLE, ahead=600))
    refusal = Refusal.decode(body)
    assert (status, refusal.code) == (401, "CLOCK_OFF")
    assert refusal.server_time == town.clock.seconds


def test_a_changed_body_is_refused(line: Line, till: Till) -> None:
    request = line.request("POST", ENTRIES, Batch(till.number, ()).encode())
    other = replace(request, body=Batch(TerminalNumber(till.number + 1), ()).encode())
    answer = line.send_unverified(other)
    assert answer.status_code == 401
    assert Refusal.decode(answer.body).code == "REQUEST_NOT_SIGNED"


def test_a_request_without_signature_is_refused(client: TestClient) -> None:
    got = client.post(ENTRIES, content=b"")
    assert (got.status_code, Refusal.decode(got.content).code) == (401, "REQUEST_NOT_SIGNED")


def test_an_unknown_terminal_is_refused_by_name(client: TestClient, town: Town) -> None:
    stranger = Line(client, town, SigningKey(b"\x05" * 32))
    answer = stranger.send_unverified(stranger.request("GET", BUNDLE))
    assert (answer.status_code, Refusal.decode(answer.body).code) == (401, "TERMINAL_UNKNOWN")


def test_a_batch_for_another_terminal_is_refused(town: Town, line: Line) -> None:
    other = town.till()
    request = line.request("POST", ENTRIES, Batch(other.number, ()).encode())
    assert line.refused(request) == (403, "TERMINAL_OTHER")


def test_a_body_that_is_no_batch_is_refused(line: Line) -> None:
    status, code = line.refused(line.request("POST", ENTRIES, b"\xff"))
    assert status == 400
    assert code in {"MALFORMED", "NOT_CANONICAL"}


def test_a_body_without_end_is_not_read(client: TestClient) -> None:
    got = client.post(ENTRIES, content=bytes(5 * 1024 * 1024))
    assert (got.status_code, Refusal.decode(got.content).code) == (400, "BODY_TOO_LONG")


def test_an_answer_fits_its_own_request_only(town: Town, line: Line) -> None:
    first, second = line.request("GET", BUNDLE), line.request("GET", BUNDLE)
    crossed = replace(line.send_unverified(first), request=second)
    with pytest.raises(AuthenticityError, match="ANSWER_NOT_SIGNED"):
        verify_answer(crossed, town.keys.operator_key().public, "n2")


def test_a_terminal_enrols_over_http(client: TestClient, town: Town) -> None:
    key = SigningKey(b"\x07" * 32)
    code = town.enrolment.issue_code(town.shop, key.public.fingerprint)
    line = Line(client, town, key)
    body = EnrolmentRequest(code, key.public, SigningKey(bytes(32)).public.raw).sign(key)
    status, answer = line.send(line.request("POST", ENROLMENTS, body))
    assert status == 200
    assert EnrolmentAnswer.decode(answer).operator_key == town.keys.operator_key().public
    assert line.send(line.request("GET", BUNDLE))[0] == 200


def test_an_enrolment_must_be_sent_by_the_key_it_is_about(client: TestClient, town: Town) -> None:
    key, thief = SigningKey(b"\x07" * 32), SigningKey(b"\x08" * 32)
    code = town.enrolment.issue_code(town.shop, key.public.fingerprint)
    body = EnrolmentRequest(code, key.public, bytes(32)).sign(key)
    line = Line(client, town, thief)
    answer = line.send_unverified(line.request("POST", ENROLMENTS, body))
    assert answer.status_code == 401


def test_health_tells_the_head_of_the_ledger(client: TestClient, town: Town) -> None:
    town.chip_with(5000)
    got = client.get("/v1/health").json()
    assert got["status"] == "ok"
    assert got["ledger_head"]["transfer"] == 4


def test_the_signature_covers_what_the_protocol_says(line: Line) -> None:
    covered = line.request("GET", BUNDLE).headers["Signature-Input"]
    assert '("@method" "@target-uri" "content-digest" "content-type")' in covered
    assert http_signatures.REQUEST_TAG in covered
