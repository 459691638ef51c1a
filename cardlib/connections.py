"""Opens a card by name: in a reader, or a virtual card's image in this process.

Providers are found by entry point (group ``borsellino.connections``), so that no
package imports the simulator or pyscard just because it might need it. A provider
is a callable that takes the reader's name or the image's path.
"""

from collections.abc import Callable
from importlib.metadata import entry_points

from cardlib.connection import CardConnection
from cardlib.errors import PresenceError

GROUP = "borsellino.connections"
PCSC = "pcsc"
IMAGE = "image"


def open_connection(*, reader: str | None = None, image: str | None = None) -> CardConnection:
    """The card of an image file where one is named, else the one in a reader.

    PresenceError: ``CONNECTION_MISSING`` when the provider is not installed, and what
    the provider raises (no service, no reader, no card).
    """
    if image is not None:
        return _provider(IMAGE)(image)
    return _provider(PCSC)(reader or "")


def _provider(name: str) -> Callable[[str], CardConnection]:
    for entry_point in entry_points(group=GROUP, name=name):
        try:
            provider: Callable[[str], CardConnection] = entry_point.load()
        except ImportError as error:
            raise PresenceError("CONNECTION_MISSING", name=name) from error
        return provider
    raise PresenceError("CONNECTION_MISSING", name=name)
