"""Terminals and stations over HTTP: the table of routes, one endpoint each.

What is decided is decided in ``backend.services.exchange``; here a body is read up to
its bound, and the work is done in a worker thread.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from backend.errors import BadInputError
from backend.services.exchange.exchange import BODY_MAX, Exchange
from backend.services.exchange.routes import ROUTES, Route
from cardlib.wire import http_signatures
from cardlib.wire.http_signatures import Answer


def _exchange_of(request: Request) -> Exchange:
    exchange: Exchange = request.app.state.exchange
    return exchange


ExchangeOf = Annotated[Exchange, Depends(_exchange_of)]
"""The exchange of the app that a route belongs to."""


def over_http(answer: Answer) -> Response:
    """The answer as the framework sends it."""
    return Response(answer.body, answer.status_code, headers=answer.headers)


def received(request: Request, body: bytes = b"") -> http_signatures.Request:
    """The request as it was signed."""
    headers = dict(request.headers)
    return http_signatures.Request(request.method, str(request.url), headers, body)


def _endpoint(route: Route) -> Callable[[Request, Exchange], Awaitable[Response]]:
    async def endpoint(request: Request, exchange: ExchangeOf) -> Response:
        whole = received(request, await _body_of(request))
        parameters = request.path_params
        return over_http(await run_in_threadpool(exchange.answer_on, route, parameters, whole))

    return endpoint


async def _body_of(request: Request) -> bytes:
    """The body; BadInputError ``BODY_TOO_LONG`` before more than the bound is read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX:
            raise BadInputError("BODY_TOO_LONG")
    return body


router = APIRouter()
for _route in ROUTES:
    router.add_api_route(_route.path, _endpoint(_route), methods=[_route.method])
