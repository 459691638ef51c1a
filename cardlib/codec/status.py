"""Status words: known ones have a name, unknown ones stay numbers.

Source: ISO/IEC 7816-4:2020, 5.6, tables 5 to 7; CNS masks in docs/card-profile.md.
"""

from enum import IntEnum


class Status(IntEnum):
    """Status words that the profile gives a meaning; compare any int with them."""

    OK = 0x9000
    OK_EEPROM_WEAK = 0x9001
    END_OF_FILE = 0x6282
    NO_INFORMATION = 0x6300
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    SM_NOT_SUPPORTED = 0x6882
    WRONG_FILE_STRUCTURE = 0x6981
    SECURITY_STATUS = 0x6982
    BLOCKED = 0x6983
    REFERENCE_UNUSABLE = 0x6984
    CONDITIONS = 0x6985
    NO_CURRENT_EF = 0x6986
    SM_OBJECT_MISSING = 0x6987
    SM_OBJECT_WRONG = 0x6988
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NO_SPACE = 0x6A84
    WRONG_P1P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    FILE_EXISTS = 0x6A89
    WRONG_OFFSET = 0x6B00
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00
    INTERNAL = 0x6F00


def status_name(status: int) -> str:
    """``OK``, ``FILE_NOT_FOUND`` …, or four hex digits for one without a name."""
    try:
        return Status(status).name
    except ValueError:
        return f"{status:04X}"


def pin_tries_left(status: int) -> int | None:
    """Tries left when ``status`` refuses a PIN (63Cx, or 6983 for none), else None."""
    if status & 0xFFF0 == 0x63C0:
        return status & 0x000F
    return 0 if status == Status.BLOCKED else None
