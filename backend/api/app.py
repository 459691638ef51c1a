"""The ASGI application: wiring only."""

from fastapi import FastAPI, Request
from fastapi.responses import Response

from backend.api import exchange, health
from backend.composition import Backend
from backend.errors import BackendError


def create_app(backend: Backend) -> FastAPI:
    """The service over HTTP. Nothing is opened or begun here."""
    app = FastAPI(title="Borsellino", openapi_url=None, docs_url=None, redoc_url=None)
    service = app.state.exchange = backend.exchange
    for router in (exchange.router, health.router):
        app.include_router(router)

    @app.exception_handler(BackendError)
    async def refuse(request: Request, error: BackendError) -> Response:
        """What was refused before it could be tied to a signature."""
        return exchange.over_http(service.refuse(exchange.received(request), error))

    return app
