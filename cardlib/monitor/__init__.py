"""Readers and cards that come and go, as events: ``Monitor``, and ``CardWatch`` over it.

::

    with Monitor() as monitor:
        monitor.subscribe(print)
        ...
"""

from cardlib.monitor.events import (
    CardIn,
    CardOut,
    Event,
    ReaderAdded,
    ReaderGone,
    ServiceBack,
    ServiceLost,
)
from cardlib.monitor.monitor import Monitor
from cardlib.monitor.watch import CardWatch

__all__ = [
    "CardIn",
    "CardOut",
    "CardWatch",
    "Event",
    "Monitor",
    "ReaderAdded",
    "ReaderGone",
    "ServiceBack",
    "ServiceLost",
]
