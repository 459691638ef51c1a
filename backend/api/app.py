"""The ASGI application: wiring only."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from backend.api import card_sessions, health, terminals
from backend.api.exchange import Exchange
from backend.api.statuses import status_of
from backend.composition import Backend
from backend.errors import BackendError
from cardlib.wire.http_signatures import CONTENT_TYPE
from cardlib.wire.service import Refusal


def create_app(backend: Backend) -> FastAPI:
    """The service over HTTP. Nothing is opened or begun here."""
    app = FastAPI(title="Borsellino", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.exchange = Exchange(backend)
    for router in (terminals.router, card_sessions.router, health.router):
        app.include_router(router)

    @app.exception_handler(BackendError)
    async def refuse(_request: Request, error: BackendError) -> Response:
        """What was refused before it could be tied to a signature."""
        refusal = Refusal(error.code, backend.clock.unix_ms() // 1000)
        return Response(refusal.encode(), status_of(error), media_type=CONTENT_TYPE)

    return app
