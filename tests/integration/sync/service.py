"""The backend's services behind real HTTP on loopback, with every fault a line can have.

Requests are verified and answers signed with the shared code; ingest, enrolment and
bundles are the backend's own. A fault is used up by the next request.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from backend.errors import BackendError
from backend.services.terminals.bundles import publish_bundle
from cardlib.errors import CardlibError
from cardlib.wire import http_signatures as signatures
from cardlib.wire import service
from cardlib.wire.card_session import SessionCommands
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.enrolment import EnrolmentRequest
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.service import Refusal
from cardlib.wire.upload import Batch
from tests.integration.backend.builders import Town

_SIGNATURE = f"borsellino=:{'A' * 86}==:"
STRANGER = SigningKey(b"\x07" * 32)


@dataclass
class Reply:
    """What goes out: ``cut`` bytes of the body are never sent."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int = 0


@dataclass
class Service:
    """One backend. ``faults`` are taken in order, one a request; ``uploads`` counts entries."""

    town: Town
    faults: deque[str] = field(default_factory=deque)
    uploads: list[tuple[int, ...]] = field(default_factory=list)
    requests: list[signatures.Request] = field(default_factory=list)
    between: Callable[[], None] = lambda: None
    _last: Reply | None = None
    _lock: Any = field(default_factory=Lock)

    def __post_init__(self) -> None:
        service_, self.port = self, 0

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                url = f"http://{headers['host']}{self.path}"
                request = signatures.Request(self.command, url, headers, body)
                reply = service_.handle(request)
                if reply is None:
                    return  # the connection just ends
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) - reply.cut])

            do_GET = do_POST = _serve  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def operator(self) -> SigningKey:
        return self.town.keys.operator_key()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, request: signatures.Request) -> Reply | None:
        with self._lock:
            self.requests.append(request)
            fault = self.faults.popleft() if self.faults else ""
            early = _EARLY.get(fault)
            if early is not None:
                return early()
            reply = self._sign(request, *self._answer(request))
            spoilt, self._last = self._spoil(fault, reply), reply
            self.between()
            return spoilt

    def _answer(self, request: signatures.Request) -> tuple[int, bytes]:
        now = self.town.clock.unix_ms() // 1000
        try:
            terminal = self._check(request, now)
            return 200, self._do(request, terminal)
        except (BackendError, CardlibError) as error:
            return 400, Refusal(error.code, now).encode()

    def _check(self, request: signatures.Request, now: int) -> int:
        if request.url.endswith(service.ENROLMENTS):
            key = EnrolmentRequest.open(request.body).public_key
            signatures.verify_request(request, lambda _: key)
            return 0
        public, signature = signatures.verify_request(request, self._key)
        upload = request.url.endswith(service.ENTRIES)
        skew = service.UPLOAD_SKEW_S if upload else service.REQUEST_SKEW_S
        if abs(signature.created - now) > skew:
            raise BackendError("CLOCK_OFF")
        with self.town.work.begin() as unit:
            terminal = unit.terminals.find_by_key(public.raw)
            assert terminal is not None
            return terminal.number

    def _do(self, request: signatures.Request, terminal: int) -> bytes:
        if request.url.endswith(service.ENROLMENTS):
            return self.town.enrolment.enrol(request.body)
        if request.url.endswith(service.BUNDLE):
            with self.town.work.begin() as unit:
                row = publish_bundle(unit, self.town.keys, self.town.clock.unix_ms() // 1000)
                unit.commit()
                return row.complete
        if service.CARD_SESSIONS in request.url:
            return SessionCommands("s1", 2, (), "LOAD_NOTHING_WAITING").encode()
        batch = Batch.decode(request.body)
        self.uploads.append(tuple(len(entry) for entry in batch.entries))
        return self.town.ingest.submit(batch, TerminalNumber(terminal))

    def _key(self, key_id: str) -> PublicKey | None:
        with self.town.work.begin() as unit:
            keys = [PublicKey(row.public_key) for row in unit.terminals.all()]
        return next((key for key in keys if signatures.key_id(key) == key_id), None)

    def _sign(
        self, request: signatures.Request, status: int, body: bytes, key: SigningKey | None = None
    ) -> Reply:
        _, _, rest = request.headers["signature-input"].partition('nonce="')
        answer = signatures.sign_answer(
            signatures.Answer(status, {}, body, request), key or self.operator,
            created=self.town.clock.unix_ms() // 1000, nonce=rest.partition('"')[0],
        )  # fmt: skip
        return Reply(status, answer.headers, body)

    def _spoil(self, fault: str, reply: Reply) -> Reply | None:
        request = self.requests[-1]
        match fault:
            case "":
                return reply
            case "lost answer":
                return None
            case "truncated":
                return replace(reply, cut=len(reply.body) // 2)
            case "changed body":
                return replace(reply, body=reply.body[:-1] + bytes([reply.body[-1] ^ 1]))
            case "bad signature":
                headers = reply.headers | {"signature": _SIGNATURE}
                return Reply(reply.status, headers, reply.body)
            case "stranger":
                return self._sign(request, reply.status, reply.body, STRANGER)
            case "replayed":
                assert self._last is not None
                return self._last
            case "for another":
                headers = request.headers | {"signature": _SIGNATURE}
                return self._sign(replace(request, headers=headers), reply.status, reply.body)
            case _:
                raise AssertionError(fault)


def _wait(status: int, seconds: str) -> Reply:
    return Reply(status, {"retry-after": seconds}, b"<html>not ours</html>")


_EARLY: dict[str, Callable[[], Reply | None]] = {
    "away": lambda: None,
    "busy": lambda: _wait(503, "120"),
    "too many": lambda: _wait(429, "30"),
    "nonsense": lambda: Reply(200, {}, b"welcome to our portal"),
    "redirect": lambda: Reply(302, {"location": "http://127.0.0.1:1/"}, b""),
    "unsigned refusal": lambda: Reply(400, {}, Refusal("TERMINAL_UNKNOWN", 0).encode()),
    "endless": lambda: Reply(200, {}, bytes(service.ANSWER_BYTES_MAX + 1)),
}
