"""Opens a card by name: in a reader, or a virtual card's image in this process.

Providers are found by entry point (group ``borsellino.connections``), so that no
package imports the simulator or pyscard just because it might need it. A provider
is a callable that takes two patterns for readers, or an image's path.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import entry_points

from cardlib.connection import CardConnection
from cardlib.errors import PresenceError
from cardlib.monitor import CardWatch, Monitor

GROUP = "borsellino.connections"
PCSC = "pcsc"
IMAGE = "image"


def open_connection(
    *, reader: str | None = None, image: str | None = None, besides: str = ""
) -> CardConnection:
    """The card of an image file where one is named, else the one in a reader.

    ``reader`` is a pattern: part of the reader's name in any case, or all of it with ``*``
    and ``?``; ``besides`` another, for readers that are never taken, such as the slot of
    the security module. PresenceError: ``CONNECTION_MISSING`` when the provider is not
    installed, and what the provider raises (no service, no reader, no card).
    """
    if image is not None:
        return _open(IMAGE, image)
    return _open(PCSC, reader or "", besides)


@contextmanager
def watched_readers(
    *, reader: str | None = None, image: str | None = None, besides: str = ""
) -> Generator[CardWatch | None]:
    """What happens in the readers, while the block lasts; None for a virtual card's image.

    ``reader`` and ``besides`` as for :func:`open_connection`.
    """
    if image is not None:
        yield None
        return
    with Monitor() as monitor:
        yield CardWatch(monitor, reader or "", besides)


def _open(name: str, *places: str) -> CardConnection:
    try:
        return _provider(name)(*places)
    except ImportError as error:
        raise PresenceError("CONNECTION_MISSING", name=name) from error


def _provider(name: str) -> Callable[..., CardConnection]:
    for entry_point in entry_points(group=GROUP, name=name):
        provider: Callable[..., CardConnection] = entry_point.load()
        return provider
    raise PresenceError("CONNECTION_MISSING", name=name)
