"""The till's only HTTP client: signs every request, believes only signed answers.

An answer counts when the operator's key signed it for this very request. What is not
so signed is at best a hint to wait (429, 503); it never moves a row. Answers are read up to
a bound, redirects are not followed, and clear HTTP is for the same machine only.
"""

import ipaddress
import ssl
from collections.abc import Callable
from hashlib import sha256
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from cardlib.errors import AuthenticityError, CardlibError, MalformedError
from cardlib.keys.module import SecurityModule
from cardlib.ports import Clock, Randomness
from cardlib.wire import http_signatures as signatures
from cardlib.wire import service
from cardlib.wire.card_session import SessionAnswers, SessionCommands, SessionOpening
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import EnrolmentAnswer
from cardlib.wire.module_keys import KeyRequest
from cardlib.wire.service import CLOCK_OFF, REQUEST_REPLAYED, Refusal
from cardlib.wire.upload import Acknowledgement, Batch
from terminal.agent.errors import EnrolmentError, NotBelievedError, RefusedError, UnreachableError

TIMEOUT_S = 20.0
NONCE_BYTES = 16
SESSION_TRIES = 4
"""Requests for one step of a card session; a card waits in the reader meanwhile."""
SESSION_PAUSE_S = 0.5
_WAIT_STATUSES = frozenset({429, 502, 503, 504})

T = TypeVar("T")


class Uplink:
    """Requests of one terminal. ``operator`` is None only while it is being enrolled."""

    def __init__(
        self, url: str, module: SecurityModule, operator: PublicKey | None,
        clock: Clock, randomness: Randomness, *, timeout_s: float = TIMEOUT_S,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        """``transport`` carries the requests; None for sockets."""
        self._url = checked_url(url)
        self._module = module
        self._operator = operator
        self._clock = clock
        self._randomness = randomness
        self._clock_shift_s = 0
        self._client = httpx2.Client(
            timeout=timeout_s, follow_redirects=False, trust_env=not _is_loopback(self._url),
            transport=transport, verify=_authorities(self._url),
        )  # fmt: skip

    def upload(self, batch: Batch) -> tuple[bytes, Acknowledgement]:
        """Sends entries; the acknowledgement as received and as read.

        NotBelievedError ``ANSWER_OTHER`` when it is not about exactly these entries.
        """
        complete = self._ask("POST", service.ENTRIES, batch.encode())
        operator = self._known_operator()
        answer = _read(lambda data: Acknowledgement.open(data, operator), complete)
        hashes = [sha256(entry).digest() for entry in batch.entries]
        if answer.terminal != batch.terminal or [v.hash for v in answer.verdicts] != hashes:
            raise NotBelievedError("ANSWER_OTHER")
        return complete, answer

    def bundle(self) -> bytes:
        """The newest bundle, still to be verified by whoever installs it."""
        return self._ask("GET", service.BUNDLE, b"")

    def module_keys(self, request: KeyRequest) -> bytes:
        """Keys of later key sets, still to be verified by whoever installs them."""
        return self._ask("POST", service.MODULE_KEYS, request.encode())

    def module_order(self, state: bytes) -> bytes:
        """What a module card in this state may debit; the card itself verifies it."""
        return self._ask("POST", service.MODULE_ORDERS, state)

    def enrol(self, request: bytes) -> EnrolmentAnswer:
        """The operator's answer; the person has yet to compare the operator's fingerprint."""
        answer = self._exchange("POST", service.ENROLMENTS, request)
        if answer.status_code != httpx2.codes.OK:
            raise _hint(answer)
        enrolment = _read(EnrolmentAnswer.decode, answer.body)
        self._verify(answer, enrolment.operator_key)
        return enrolment

    def open(self, opening: SessionOpening) -> SessionCommands:
        """Begins a card session."""
        return self._session_step(service.CARD_SESSIONS, opening.encode())

    def step(self, session: str, answers: SessionAnswers) -> SessionCommands:
        """One step of a card session; a lost answer is asked for again."""
        return self._session_step(service.card_session_answers(session), answers.encode())

    def correct_clock(self, server_time: int) -> None:
        """Signs with the server's signed time from now on; the till's own clock stays."""
        self._clock_shift_s = server_time - self._clock.unix_ms() // 1000

    def close(self) -> None:
        """Closes connections. May be called twice."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def _session_step(self, path: str, body: bytes) -> SessionCommands:
        for attempt in range(1, SESSION_TRIES + 1):
            try:
                return _read(SessionCommands.decode, self._ask("POST", path, body))
            except UnreachableError:
                if attempt == SESSION_TRIES:
                    raise
                self._clock.sleep(SESSION_PAUSE_S * attempt)
            except RefusedError as refused:
                if refused.code not in {CLOCK_OFF, REQUEST_REPLAYED} or attempt == SESSION_TRIES:
                    raise
                if refused.code == CLOCK_OFF:
                    self.correct_clock(refused.server_time)
        raise UnreachableError

    def _ask(self, method: str, path: str, body: bytes) -> bytes:
        """The body of a genuine answer of status 200; RefusedError for a genuine refusal."""
        answer = self._exchange(method, path, body)
        if answer.status_code in _WAIT_STATUSES and "signature" not in answer.headers:
            raise _hint(answer)
        self._verify(answer, self._known_operator())
        if answer.status_code == httpx2.codes.OK:
            return answer.body
        refusal = _read(Refusal.decode, answer.body)
        raise RefusedError(
            refusal.code, answer.status_code, server_time=refusal.server_time,
            retry_after_s=_retry_after(answer),
        )  # fmt: skip

    def _exchange(self, method: str, path: str, body: bytes) -> signatures.Answer:
        request = self._signed(method, self._url + path, body)
        plain = request.headers | {"accept-encoding": "identity"}
        try:
            with self._client.stream(method, request.url, headers=plain, content=body) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return signatures.Answer(response.status_code, headers, _bounded(response), request)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise UnreachableError(why=type(error).__name__) from error

    def _signed(self, method: str, url: str, body: bytes) -> signatures.Request:
        return signatures.sign_request(
            signatures.Request(method, url, {}, body),
            self._module.sign_request,
            key=signatures.key_id(self._module.public_key),
            created=self._clock.unix_ms() // 1000 + self._clock_shift_s,
            nonce=self._randomness.bytes(NONCE_BYTES).hex(),
        )

    def _verify(self, answer: signatures.Answer, operator: PublicKey) -> None:
        nonce = _nonce_of(answer.request)
        try:
            signatures.verify_answer(answer, operator, nonce)
        except (AuthenticityError, MalformedError) as error:
            raise NotBelievedError(_unbelieved(answer), status=answer.status_code) from error

    def _known_operator(self) -> PublicKey:
        if self._operator is None:
            raise EnrolmentError("TILL_NOT_ENROLLED")
        return self._operator


def _hint(answer: signatures.Answer) -> RefusedError | NotBelievedError:
    """What may be taken from an answer that nobody has signed: to wait, or a reason to show."""
    if answer.status_code in _WAIT_STATUSES:
        wait = _retry_after(answer)
        return RefusedError("SERVICE_BUSY", answer.status_code, retry_after_s=wait)
    try:
        refusal = Refusal.decode(answer.body)
    except CardlibError:
        return NotBelievedError("ANSWER_NOT_SIGNED", status=answer.status_code)
    return RefusedError(refusal.code, answer.status_code, server_time=refusal.server_time)


def _unbelieved(answer: signatures.Answer) -> str:
    """A code to show for an answer without a good signature; it decides nothing."""
    try:
        said = Refusal.decode(answer.body).code
    except CardlibError:
        return "ANSWER_NOT_SIGNED"
    return "TERMINAL_PERHAPS_UNKNOWN" if said == "TERMINAL_UNKNOWN" else "ANSWER_NOT_SIGNED"


def _read(decode: Callable[[bytes], T], data: bytes) -> T:
    try:
        return decode(data)
    except AuthenticityError as error:
        raise NotBelievedError("ANSWER_NOT_SIGNED") from error
    except MalformedError as error:
        raise NotBelievedError("ANSWER_UNREADABLE") from error


def _bounded(response: httpx2.Response) -> bytes:
    chunks = bytearray()
    for chunk in response.iter_raw():
        chunks += chunk
        if len(chunks) > service.ANSWER_BYTES_MAX:
            raise NotBelievedError("ANSWER_UNREADABLE")
    return bytes(chunks)


def _nonce_of(request: signatures.Request) -> str:
    """The nonce that we put into our own request."""
    parameters = next(
        value for name, value in request.headers.items() if name.lower() == "signature-input"
    )
    return parameters.partition('nonce="')[2].partition('"')[0]


def _retry_after(answer: signatures.Answer) -> int:
    """Seconds of a Retry-After; a date, or nonsense, is 0: our own back-off decides."""
    text = answer.headers.get("retry-after", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _authorities(url: str) -> ssl.SSLContext | bool:
    """Who vouches for a service: the system's authorities; nobody for clear HTTP.

    Reading some hundred certificates takes longer than a request to the same machine.
    """
    https = httpx2.URL(url).scheme == "https"
    return True if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def checked_url(text: str) -> str:
    """The base address without its last slash; EnrolmentError for one we would not use."""
    url = text.strip().rstrip("/")
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise EnrolmentError("SERVICE_URL_BAD", url=text) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query:
        raise EnrolmentError("SERVICE_URL_BAD", url=text)
    if parsed.scheme == "http" and not _is_loopback(url):
        raise EnrolmentError("SERVICE_URL_CLEAR", url=text)
    return url


def _is_loopback(url: str) -> bool:
    host = httpx2.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
