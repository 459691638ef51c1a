"""The three purse files in clear: EF.INFO, EF.GRANT, EF.SPEND (PROTOCOL 2).

Big endian; amounts are u24 cents of euro; days are counted from 2020-01-01.
Records at rest are these layouts with their marked part enciphered and a tag
appended: ``cardlib.keys.records``.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Self

from cardlib.codec.files import EF_INFO
from cardlib.codec.reader import Reader
from cardlib.errors import MalformedError, PurseRefusedError

DAY_ZERO = date(2020, 1, 1)
U24_MAX = 0xFFFFFF
SLOTS = 6
TOTAL_CENTS_MAX = U24_MAX
DAY_SPENT_MORE = 0xFFFF
"""``day_spent`` of a purse that spent 655.35 EUR or more in a day."""
DAY_LIMIT_EUR_MAX = 655

INFO_CORE_SIZE = 16
INFO_VERSION = 1
GRANT_CLEAR_SIZE = 27
GRANT_SIGNED_SIZE = 91
GRANT_RECORD_SIZE = 95
SPEND_RECORD_SIZE = 54
EMPTY_GRANT = bytes(GRANT_RECORD_SIZE)
EMPTY_SPEND = bytes(SPEND_RECORD_SIZE)

FLAG_PIN_ENFORCED = 0x80
FLAG_ATTESTATION = 0x40
FLAGS_RESERVED = 0x30


def day_number(day: date) -> int:
    """Days since 2020-01-01, as the card counts them."""
    return (day - DAY_ZERO).days


def day_date(number: int) -> date:
    """The date of a day number."""
    return DAY_ZERO + timedelta(days=number)


class Suite(IntEnum):
    """Low nibble of the suite byte."""

    AES_128 = 1
    TDEA_2KEY = 2


@dataclass(frozen=True, slots=True)
class Info:
    """EF.INFO, 17 bytes. ``record_map`` is a hint that no one has signed."""

    purse: bytes
    issuer: bytes
    suite: int
    flags: int
    key_set: int
    expiry: int
    record_map: int = 0

    def __post_init__(self) -> None:
        if len(self.purse) != 8 or len(self.issuer) != 3:
            raise MalformedError("EF.INFO", "purse number or issuer of the wrong length")

    @property
    def core(self) -> bytes:
        """Bytes 0 to 15: what grants and key derivation are bound to."""
        suite_and_flags = self.flags | self.suite
        head = bytes((INFO_VERSION,)) + self.purse + self.issuer
        return head + bytes((suite_and_flags, self.key_set)) + self.expiry.to_bytes(2, "big")

    def __bytes__(self) -> bytes:
        return self.core + bytes((self.record_map,))

    @property
    def issuer_code(self) -> str:
        """Six digits: the ISTAT code of the comune, or 000000 for training."""
        return self.issuer.hex()

    @property
    def expires_on(self) -> date:
        """Last day of the card, inclusive."""
        return day_date(self.expiry)

    @property
    def pin_enforced(self) -> bool:
        """Whether the chip itself demands the PIN before it writes EF.SPEND."""
        return bool(self.flags & FLAG_PIN_ENFORCED)

    @property
    def attests(self) -> bool:
        """Whether the chip can answer under K_TC; a legacy chip cannot."""
        return bool(self.flags & FLAG_ATTESTATION)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads 17 bytes; PurseRefusedError for a version or flag this code must not guess."""
        reader = Reader(data, EF_INFO.name)
        version, purse, issuer = reader.uint(1), reader.take(8), reader.take(3)
        suite_and_flags, key_set = reader.uint(1), reader.uint(1)
        expiry, record_map = reader.uint(2), reader.uint(1)
        reader.end()
        suite, flags = suite_and_flags & 0x0F, suite_and_flags & 0xF0
        if version != INFO_VERSION or flags & FLAGS_RESERVED or not issuer.hex().isdecimal():
            raise PurseRefusedError("PURSE_UNKNOWN_VERSION")
        return cls(purse, issuer, suite, flags, key_set, expiry, record_map)

    @classmethod
    def from_core(cls, core: bytes) -> Self:
        """Reads the 16 bytes that entries and grants carry; the map is 00."""
        if len(core) != INFO_CORE_SIZE:
            raise MalformedError("INFO core", f"{len(core)} bytes")
        return cls.decode(core + b"\x00")


@dataclass(frozen=True, slots=True)
class Grant:
    """The 27 signed bytes of a grant: one wallet in one slot, cumulative totals in cents."""

    slot: int
    grant_seq: int
    programme: int
    categories: int
    valid_from: int
    valid_to: int
    granted_total: int
    base_spent: int
    base_ctr: int
    flags: int
    day_limit_eur: int
    issuer_key: int

    def __bytes__(self) -> bytes:
        layout = (
            (self.slot, 1), (self.grant_seq, 3), (self.programme, 2), (self.categories, 4),
            (self.valid_from, 2), (self.valid_to, 2), (self.granted_total, 3),
            (self.base_spent, 3), (self.base_ctr, 3), (self.flags, 1),
            (self.day_limit_eur, 2), (self.issuer_key, 1),
        )  # fmt: skip
        return _pack(layout, "EF.GRANT")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads 27 clear bytes. The caller verifies the signature first."""
        reader = Reader(data, "EF.GRANT")
        grant = cls(*(reader.uint(size) for size in (1, 3, 2, 4, 2, 2, 3, 3, 3, 1, 2, 1)))
        reader.end()
        return grant

    def allows(self, category: int) -> bool:
        """Whether the wallet buys ``category``, a bit number from 0 to 31."""
        return bool(self.categories >> category & 1)

    def valid_on(self, day: int) -> bool:
        """Whether ``day`` (a day number) lies in the validity, both ends included."""
        return self.valid_from <= day <= self.valid_to


class SpendType(IntEnum):
    """First byte of an EF.SPEND record."""

    INIT = 0
    SALE = 1
    VOID = 2


Totals = tuple[int, int, int, int, int, int]
"""Cumulative cents spent, one for each slot 1 to 6."""
ZERO_TOTALS: Totals = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Spend:
    """The 46 clear bytes of an EF.SPEND record; ``time`` in Unix seconds."""

    type: SpendType
    ctr: int
    intent_hash: bytes
    spent: Totals
    terminal: int
    seq: int
    time: int
    day_spent: int
    prev: bytes

    def __bytes__(self) -> bytes:
        if len(self.intent_hash) != 8 or len(self.prev) != 4:
            raise MalformedError("EF.SPEND", "hash of the wrong length")
        head = _pack(((self.type, 1), (self.ctr, 3)), "EF.SPEND") + self.intent_hash
        totals = _pack([(total, 3) for total in self.spent], "EF.SPEND")
        tail = ((self.terminal, 3), (self.seq, 3), (self.time, 4), (self.day_spent, 2))
        return head + totals + _pack(tail, "EF.SPEND") + self.prev

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads 46 clear bytes; MalformedError when the type is above 2."""
        reader = Reader(data, "EF.SPEND")
        kind = reader.uint(1)
        if kind > SpendType.VOID:
            raise MalformedError("EF.SPEND", f"type {kind}")
        ctr, intent_hash = reader.uint(3), reader.take(8)
        s1, s2, s3, s4, s5, s6 = (reader.uint(3) for _ in range(SLOTS))
        terminal, seq, time = reader.uint(3), reader.uint(3), reader.uint(4)
        day_spent, prev = reader.uint(2), reader.take(4)
        reader.end()
        spent = (s1, s2, s3, s4, s5, s6)
        return cls(SpendType(kind), ctr, intent_hash, spent, terminal, seq, time, day_spent, prev)


def _pack(layout: tuple[tuple[int, int], ...] | list[tuple[int, int]], what: str) -> bytes:
    try:
        return b"".join(value.to_bytes(size, "big") for value, size in layout)
    except OverflowError as error:
        raise MalformedError(what, "a field is out of range") from error
