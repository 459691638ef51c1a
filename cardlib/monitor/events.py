"""What readers, cards and the service do, one dataclass a happening."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderAdded:
    """A reader is there."""

    reader: str


@dataclass(frozen=True, slots=True)
class ReaderGone:
    """A reader has gone. Its card went first."""

    reader: str


@dataclass(frozen=True, slots=True)
class CardIn:
    """A card is in the reader. ``atr`` is empty for a mute one."""

    reader: str
    atr: bytes


@dataclass(frozen=True, slots=True)
class CardOut:
    """The card that was in the reader is so no more; another may be, and comes in next."""

    reader: str


@dataclass(frozen=True, slots=True)
class ServiceLost:
    """Nobody can say anything about readers. All of them went first. ``code``: why."""

    code: str


@dataclass(frozen=True, slots=True)
class ServiceBack:
    """The service answers again; its readers and cards come in next."""


Event = ReaderAdded | ReaderGone | CardIn | CardOut | ServiceLost | ServiceBack
