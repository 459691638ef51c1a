"""Signed requests in, signed answers out: what every route of terminals shares.

A request is verified before its body is decoded; an answer, also a refusal, is
signed and bound to its request. What cannot be tied to a verified request is
answered unsigned, and a terminal believes nothing in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from backend.adapters.tables.terminals import NonceRow
from backend.api.statuses import status_of
from backend.composition import Backend
from backend.errors import BackendError, BadInputError, ClockOffError, NotGenuineError
from cardlib.errors import AuthenticityError, CardlibError
from cardlib.wire import http_signatures
from cardlib.wire.ed25519 import KID_SIZE, PublicKey
from cardlib.wire.http_signatures import Answer, Signature
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.service import REQUEST_SKEW_S, Refusal

BODY_MAX = 4 * 1024 * 1024
"""Bytes of a request's body: a full batch is far smaller."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request; ``terminal`` is None for a key that is not enrolled yet."""

    public_key: PublicKey
    terminal: TerminalNumber | None

    def enrolled(self) -> TerminalNumber:
        """The terminal's number; NotGenuineError ``TERMINAL_UNKNOWN``."""
        if self.terminal is None:
            raise NotGenuineError("TERMINAL_UNKNOWN")
        return self.terminal


Handler = Callable[[Caller, bytes], bytes]
"""Takes the caller and the request's body, gives the answer's body."""
KeyOf = Callable[[bytes], PublicKey | None]
"""Finds, in the request's body, the key that must have signed it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Verifies requests, runs handlers in worker threads, signs answers."""

    backend: Backend

    async def answer(
        self, request: Request, handler: Handler, *,
        skew_s: int = REQUEST_SKEW_S, once: bool = True, key_in: KeyOf | None = None,
    ) -> Response:  # fmt: skip
        """The signed answer.

        ``skew_s``: how far ``created`` may be from our clock. ``once``: each nonce is
        accepted once; not needed where a replay is harmless. ``key_in``: where the key
        is when it is not yet enrolled.
        """
        received = http_signatures.Request(
            request.method, str(request.url), dict(request.headers), await _body_of(request)
        )
        return await run_in_threadpool(
            self._answer, received, handler, skew_s=skew_s, once=once, key_in=key_in
        )

    def _answer(
        self, request: http_signatures.Request, handler: Handler, *,
        skew_s: int, once: bool, key_in: KeyOf | None,
    ) -> Response:  # fmt: skip
        signature: Signature | None = None
        try:
            caller, signature = self._verify(request, key_in)
            self._check_time(signature, skew_s)
            if once:
                self._use_nonce(signature, skew_s)
            status, body = 200, handler(caller, request.body)
        except (BackendError, CardlibError) as error:
            _log.info("refused", path=request.url, code=error.code, **error.facts)
            status, body = status_of(error), Refusal(error.code, self._now()).encode()
        return self._signed(request, signature, status, body)

    def _verify(
        self, request: http_signatures.Request, key_in: KeyOf | None
    ) -> tuple[Caller, Signature]:
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
        with self.backend.work.begin() as unit:
            row = unit.terminals.find_by_kid(bytes.fromhex(key_id))
        if row is None or row.state == "closed":
            return None
        return Caller(PublicKey(row.public_key), TerminalNumber(row.number))

    def _check_time(self, signature: Signature, skew_s: int) -> None:
        if abs(signature.created - self._now()) > skew_s:
            raise ClockOffError

    def _use_nonce(self, signature: Signature, skew_s: int) -> None:
        """NotGenuineError ``REQUEST_REPLAYED`` when this very request came before."""
        now = self._now()
        with self.backend.work.begin() as unit:
            if unit.terminals.nonce_used(signature.key_id, signature.nonce):
                raise NotGenuineError("REQUEST_REPLAYED")
            unit.terminals.forget_nonces(now)
            expires_at = signature.created + skew_s + 1
            unit.add(
                NonceRow(
                    key_id=signature.key_id, nonce=signature.nonce, expires_at=expires_at
                )
            )  # fmt: skip
            unit.commit()

    def _signed(
        self, request: http_signatures.Request, signature: Signature | None, status: int,
        body: bytes,
    ) -> Response:  # fmt: skip
        if signature is None:
            return Response(body, status, media_type=http_signatures.CONTENT_TYPE)
        answer = http_signatures.sign_answer(
            Answer(status, {}, body, request), self.backend.keys.operator_key(),
            created=self._now(), nonce=signature.nonce,
        )  # fmt: skip
        return Response(answer.body, status, headers=answer.headers)

    def _now(self) -> int:
        return self.backend.clock.unix_ms() // 1000


async def _body_of(request: Request) -> bytes:
    """The body; BadInputError ``BODY_TOO_LONG`` before more than the bound is read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise BadInputError("BODY_TOO_LONG")
    return body


def _exchange_of(request: Request) -> Exchange:
    exchange: Exchange = request.app.state.exchange
    return exchange


ExchangeOf = Annotated[Exchange, Depends(_exchange_of)]
"""The exchange of the app that a route belongs to."""
