"""How a card gets to a till: in this process, or through the real pcscd and vpcd."""

import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from os import environ
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from cardlib.connection import CardConnection
from cardlib.errors import CardMissingError
from cardlib.ports import Clock, Randomness
from simulator.card.card import VirtualCard
from simulator.connection import InProcessConnection
from simulator.private_pcscd import PrivatePcscd
from simulator.vpcd import VirtualReader

Wrap = Callable[[CardConnection], CardConnection]
"""Puts a fault around a card."""
_TRIES, _PAUSE_S = 60, 0.1


def untouched(connection: CardConnection) -> CardConnection:
    """No fault."""
    return connection


class Reader(Protocol):
    """A place to put a card into."""

    def insert(self, image: Path, wrap: Wrap = untouched) -> AbstractContextManager[CardConnection]:
        """The card of ``image``, until the block ends."""
        ...


class ProcessReader:
    """No reader at all: the card answers in this process."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness

    @contextmanager
    def insert(self, image: Path, wrap: Wrap = untouched) -> Generator[CardConnection]:
        """Powers the card up, and down again at the end."""
        card = VirtualCard.load(image, self._randomness)
        try:
            yield wrap(InProcessConnection(card))
        finally:
            card.power_off()


class PcscReader:
    """The real daemon with its virtual reader; a daemon of our own, ended with the block."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._resources = ExitStack()
        self._daemon: PrivatePcscd | None = None

    def __enter__(self) -> Self:
        directory = self._resources.enter_context(tempfile.TemporaryDirectory(prefix="pcscd"))
        self._daemon = self._resources.enter_context(PrivatePcscd(Path(directory), self._clock))
        environ.update(self._daemon.environment)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    @contextmanager
    def insert(self, image: Path, wrap: Wrap = untouched) -> Generator[CardConnection]:
        """Puts the card into slot 0 and connects over PC/SC."""
        assert self._daemon is not None, "not started"
        card = wrap(InProcessConnection(VirtualCard.load(image, self._randomness)))
        with VirtualReader(card, ("127.0.0.1", self._daemon.port)):
            connection = self._connect(self._daemon.reader_name(0))
            try:
                yield connection
            finally:
                connection.close()
        self._clock.sleep(0.5)  # pcscd polls every 400 ms; a quicker swap goes unnoticed

    def _connect(self, name: str) -> CardConnection:
        from cardlib import pcsc  # noqa: PLC0415 - pyscard is an extra

        for _ in range(_TRIES):
            try:
                return pcsc.connect(name)
            except CardMissingError:
                self._clock.sleep(_PAUSE_S)
        return pcsc.connect(name)
