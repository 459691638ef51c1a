"""The service in the foreground: uvicorn, ended cleanly by SIGINT and SIGTERM."""

import signal
from collections.abc import Callable

import uvicorn

from backend.api.app import create_app
from backend.composition import Backend


class _Announced(uvicorn.Server):
    """Says where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            self._announce(f"http://{host}:{port}")


def run(backend: Backend, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serves until a signal; ``announce`` hears the address."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server raises a signal again once it has ended: being told to end is no failure.
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(create_app(backend), host=host, port=port, log_level="warning")
    _Announced(config, announce).run()
