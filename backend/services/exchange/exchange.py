"""Signed requests in, signed answers out: the same over HTTP and inside one process.

A request is verified before its body is decoded; an answer, also a refusal, is
signed and bound to its request. What cannot be tied to a verified request is
answered unsigned, and a terminal believes nothing in it.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from backend.errors import BackendError, BadInputError, ClockOffError, NotGenuineError
from backend.services.exchange.routes import (
    Caller,
    KeyOf,
    Parameters,
    Route,
    UseCases,
    find_route,
)
from backend.services.exchange.statuses import status_of
from cardlib.errors import AuthenticityError, CardlibError
from cardlib.wire import http_signatures
from cardlib.wire.ed25519 import KID_SIZE, PublicKey
from cardlib.wire.http_signatures import CONTENT_TYPE, Answer, Request, Signature
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.service import Refusal

BODY_MAX = 4 * 1024 * 1024
"""Bytes of a request's body: a full batch is far smaller."""
_NOT_FOUND = 404
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Exchange:
    """Verifies requests, runs handlers, signs answers. Blocks while the database works."""

    service: UseCases

    def answer(self, request: Request) -> Answer:
        """The answer to a request that arrived whole; header names are in small letters.

        An unknown path, and a body above ``BODY_MAX``, are answered unsigned.
        """
        if len(request.body) > BODY_MAX:
            return self.refuse(request, BadInputError("BODY_TOO_LONG"))
        found = find_route(request.method, urlsplit(request.url).path)
        if found is None:
            return Answer(_NOT_FOUND, {}, b"", request)
        return self.answer_on(*found, request)

    def answer_on(self, route: Route, parameters: Parameters, request: Request) -> Answer:
        """The answer of a route that was found already; ``parameters`` are of its path."""
        signature: Signature | None = None
        try:
            caller, signature = self._verify(request, route.key_in)
            self._check_time(signature, route.skew_s)
            if route.once:
                self._use_nonce(signature, route.skew_s)
            status, body = 200, route.handler(self.service, caller, parameters, request.body)
        except (BackendError, CardlibError) as error:
            _log.info("refused", path=request.url, code=error.code, **error.facts)
            refused = self.refuse(request, error)
            status, body = refused.status_code, refused.body
        return self._signed(request, signature, status, body)

    def refuse(self, request: Request, error: BackendError | CardlibError) -> Answer:
        """What was refused before it could be tied to a signature: unsigned."""
        body = Refusal(error.code, self._now()).encode()
        return _unsigned(request, status_of(error), body)

    def _verify(self, request: Request, key_in: KeyOf | None) -> tuple[Caller, Signature]:
        callers: dict[str, Caller] = {}

        def key_of(key_id: str) -> PublicKey | None:
            caller = self._caller(key_id, request.body, key_in)
            if caller is None:
                return None
            callers[key_id] = caller
            return caller.public_key

        try:
            _, signature = http_signatures.verify_request(request, key_of)
        except AuthenticityError as error:
            if not callers and "signature-input" in request.headers and key_in is None:
                raise NotGenuineError("TERMINAL_UNKNOWN") from error
            raise
        return callers[signature.key_id], signature

    def _caller(self, key_id: str, body: bytes, key_in: KeyOf | None) -> Caller | None:
        if key_in is not None:
            public = key_in(body)
            named = public is not None and http_signatures.key_id(public) == key_id
            return Caller(public, None) if public is not None and named else None
        if len(key_id) != 2 * KID_SIZE or not set(key_id) <= set("0123456789abcdef"):
            return None
        with self.service.work.read() as unit:
            found = unit.terminals.key_of(bytes.fromhex(key_id))
        if found is None:
            return None
        number, public_key, state = found
        return None if state == "closed" else Caller(PublicKey(public_key), TerminalNumber(number))

    def _check_time(self, signature: Signature, skew_s: int) -> None:
        if abs(signature.created - self._now()) > skew_s:
            raise ClockOffError

    def _use_nonce(self, signature: Signature, skew_s: int) -> None:
        """NotGenuineError ``REQUEST_REPLAYED`` when this very request came before."""
        now = self._now()
        with self.service.work.begin() as unit:
            unit.terminals.forget_nonces(now)
            expires_at = signature.created + skew_s + 1
            if not unit.terminals.use_nonce(signature.key_id, signature.nonce, expires_at):
                raise NotGenuineError("REQUEST_REPLAYED")
            unit.commit()

    def _signed(
        self, request: Request, signature: Signature | None, status: int, body: bytes
    ) -> Answer:
        if signature is None:
            return _unsigned(request, status, body)
        return http_signatures.sign_answer(
            Answer(status, {}, body, request), self.service.keys.operator_key(),
            created=self._now(), nonce=signature.nonce,
        )  # fmt: skip

    def _now(self) -> int:
        return self.service.clock.unix_ms() // 1000


def _unsigned(request: Request, status: int, body: bytes) -> Answer:
    return Answer(status, {"content-type": CONTENT_TYPE}, body, request)
