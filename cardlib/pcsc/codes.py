"""What PC/SC return codes mean to us: the one table from numbers to errors.

Numbers are unsigned 32-bit, whatever sign a platform gives them. Source: pcsc-lite
``pcsclite.h``, which has Windows' numbers.
"""

from enum import IntEnum

from cardlib.errors import (
    CardGoneError,
    CardMissingError,
    CardSilentError,
    PresenceError,
    ReaderMissingError,
    ServiceMissingError,
)


class Code(IntEnum):
    """Return codes that are told apart; every other one means: the connection is dead."""

    SUCCESS = 0
    INTERNAL_ERROR = 0x80100001
    CANCELLED = 0x80100002
    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_SMARTCARD = 0x8010000C
    PROTO_MISMATCH = 0x8010000F
    COMM_ERROR = 0x80100013
    NOT_TRANSACTED = 0x80100016
    READER_UNAVAILABLE = 0x80100017
    NO_SERVICE = 0x8010001D
    SERVICE_STOPPED = 0x8010001E
    NO_ACCESS = 0x80100027
    NO_READERS_AVAILABLE = 0x8010002E
    UNSUPPORTED_CARD = 0x80100065
    UNRESPONSIVE_CARD = 0x80100066
    UNPOWERED_CARD = 0x80100067
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069
    SECURITY_VIOLATION = 0x8010006A


RESET_BY_OTHER = "CARD_RESET_BY_OTHER"
_NO_SERVICE = (Code.NO_SERVICE, Code.SERVICE_STOPPED, Code.COMM_ERROR, Code.INTERNAL_ERROR)
_NOT_PERMITTED = (Code.NO_ACCESS, Code.SECURITY_VIOLATION)
_NO_READER = (Code.NO_READERS_AVAILABLE, Code.READER_UNAVAILABLE, Code.UNKNOWN_READER)
_NO_CARD = (Code.NO_SMARTCARD, Code.REMOVED_CARD)
_CARD = {
    Code.UNRESPONSIVE_CARD: "CARD_MUTE",
    Code.UNPOWERED_CARD: "CARD_UNPOWERED",
    Code.PROTO_MISMATCH: "CARD_PROTOCOL",
    Code.UNSUPPORTED_CARD: "CARD_PROTOCOL",
}


def error_of(code: int, reader: str = "") -> PresenceError:
    """The error for a code that is not success; ``reader`` is what was asked for.

    A code of no meaning to us says that the connection cannot be relied on any more:
    CardGoneError.
    """
    if code in _NO_SERVICE:
        return ServiceMissingError()
    if code in _NOT_PERMITTED:
        return ServiceMissingError("PCSC_NOT_PERMITTED")
    if code in _NO_READER:
        return ReaderMissingError(reader=reader)
    if code in _NO_CARD:
        return CardMissingError()
    if code == Code.SHARING_VIOLATION:
        return PresenceError("READER_BUSY")
    if code in _CARD:
        return CardSilentError(_CARD[Code(code)])
    if code == Code.RESET_CARD:
        return CardGoneError(RESET_BY_OTHER)
    return CardGoneError()
