"""Every trouble with reader and card has a code of its own, in the words of both languages."""

import pytest

from cardlib.errors import (
    CardGoneError,
    CardMissingError,
    CardSilentError,
    PresenceError,
    ReaderMissingError,
    ServiceMissingError,
)
from cardlib.pcsc.codes import Code, error_of
from cardlib.text import catalogue

MEANING: dict[int, tuple[type[PresenceError], str]] = {
    0x8010001D: (ServiceMissingError, "PCSC_MISSING"),
    0x8010001E: (ServiceMissingError, "PCSC_MISSING"),
    0x80100027: (ServiceMissingError, "PCSC_NOT_PERMITTED"),
    0x8010006A: (ServiceMissingError, "PCSC_NOT_PERMITTED"),
    0x8010002E: (ReaderMissingError, "READER_MISSING"),
    0x80100009: (ReaderMissingError, "READER_MISSING"),
    0x80100017: (ReaderMissingError, "READER_MISSING"),
    0x8010000C: (CardMissingError, "CARD_MISSING"),
    0x80100069: (CardMissingError, "CARD_MISSING"),
    0x80100066: (CardSilentError, "CARD_MUTE"),
    0x80100067: (CardSilentError, "CARD_UNPOWERED"),
    0x8010000F: (CardSilentError, "CARD_PROTOCOL"),
    0x8010000B: (PresenceError, "READER_BUSY"),
    0x80100068: (CardGoneError, "CARD_RESET_BY_OTHER"),
    0x80100016: (CardGoneError, "CARD_GONE"),
    0x80100013: (ServiceMissingError, "PCSC_MISSING"),
    0xDEADBEEF: (CardGoneError, "CARD_GONE"),
}


@pytest.mark.parametrize("code", MEANING)
def test_a_code_says_who_can_help(code: int) -> None:
    error = error_of(code, "Gemalto")
    assert (type(error), error.code) == MEANING[code]
    for lang in ("it", "en"):
        assert catalogue.sentence(error.code, lang, **error.facts)


def test_who_may_hold_the_reader_is_named() -> None:
    for lang in ("it", "en"):
        told = catalogue.sentence(error_of(Code.SHARING_VIOLATION).code, lang)
        assert "scdaemon" in told
