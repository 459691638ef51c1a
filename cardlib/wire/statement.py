"""A merchant's statement: the operator's signed word on what a merchant sold in a period.

COSE_Sign1 by the operator's key. The merchant keeps it; ``borsellino verify --evidence``
proves with it that nothing of it is missing in an export. Amounts in cents, times in Unix
seconds (docs/export-format.md, section 9).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cardlib.codec.purse import SpendType
from cardlib.errors import MalformedError
from cardlib.wire import cbor, sign1
from cardlib.wire.cbor import Value
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.fields import U24_MAX, Fields, as_bytes, as_list, as_text, as_uint
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import HASH_SIZE, LedgerHead

_WHAT = "statement"


class Standing(StrEnum):
    """How sure an amount is."""

    PROVEN = "proven"
    """The card proves it: it stays as it is."""
    OPEN = "open"
    """The card proves the sale; its amount, once the record before is known."""
    UNPROVEN = "unproven"
    """Waits for a proof."""


@dataclass(frozen=True, slots=True)
class StatedEntry:
    """One sale or void: its entry and SHA-256 of that, its cents (positive in a void, too)."""

    terminal: TerminalNumber
    seq: Seq
    hash: bytes
    kind: SpendType
    cents: int
    standing: Standing

    def value(self) -> Value:
        """As CBOR."""
        return [
            self.terminal, self.seq, self.hash, int(self.kind), self.cents, self.standing.value,
        ]  # fmt: skip

    @classmethod
    def read(cls, value: Value) -> Self:
        """From CBOR."""
        terminal, seq, digest, kind, cents, standing = as_list(value, _WHAT, 6)
        number, word = as_uint(kind, _WHAT, SpendType.VOID), as_text(standing, _WHAT)
        if number == SpendType.INIT or word not in set(Standing):
            raise MalformedError(_WHAT, f"a line of kind {number}, {word}")
        return cls(
            TerminalNumber(as_uint(terminal, _WHAT, U24_MAX)), Seq(as_uint(seq, _WHAT, U24_MAX)),
            as_bytes(digest, _WHAT, HASH_SIZE), SpendType(number), as_uint(cents, _WHAT),
            Standing(word),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JournalHead:
    """How far the backend holds the journal of one of the merchant's terminals."""

    terminal: TerminalNumber
    seq: Seq
    hash: bytes


@dataclass(frozen=True, slots=True)
class DayRoot:
    """The tree over all entries that the backend received on a day that is over.

    ``start`` is the day's first second (Europe/Rome), ``size`` how many entries.
    """

    start: int
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything of one statement; the period is ``time_from`` ≤ t < ``time_to``."""

    merchant: int
    merchant_name: str
    operator: str
    issued_at: int
    time_from: int
    time_to: int
    lines: tuple[StatedEntry, ...]
    journals: tuple[JournalHead, ...]
    days: tuple[DayRoot, ...]
    ledger: LedgerHead

    def sign(self, key: SigningKey) -> bytes:
        """The complete bytes."""
        payload = cbor.encode(
            {
                1: self.merchant, 2: self.merchant_name, 3: self.operator, 4: self.issued_at,
                5: [self.time_from, self.time_to],
                6: [line.value() for line in self.lines],
                7: [[item.terminal, item.seq, item.hash] for item in self.journals],
                8: [[day.start, day.size, day.root] for day in self.days],
                9: self.ledger.value(),
            }
        )  # fmt: skip
        return sign1.sign(key, payload, sign1.STATEMENT_AAD)

    @classmethod
    def open(cls, complete: bytes, operator: PublicKey) -> Self:
        """Verifies, then reads; AuthenticityError unless the operator signed it."""
        message = sign1.parse(complete)
        message.verify(operator, sign1.STATEMENT_AAD)
        fields = Fields.decode(message.payload, _WHAT)
        merchant, name, signer = fields.uint(1), fields.text(2), fields.text(3)
        issued_at = fields.uint(4)
        time_from, time_to = (as_uint(item, _WHAT) for item in fields.list(5, 2))
        statement = cls(
            merchant=merchant, merchant_name=name, operator=signer, issued_at=issued_at,
            time_from=time_from, time_to=time_to,
            lines=tuple(StatedEntry.read(item) for item in fields.list(6)),
            journals=tuple(_read_journal(item) for item in fields.list(7)),
            days=tuple(_read_day(item) for item in fields.list(8)),
            ledger=LedgerHead.read(fields.take(9), _WHAT),
        )  # fmt: skip
        fields.end()
        return statement


def _read_journal(value: Value) -> JournalHead:
    terminal, seq, digest = as_list(value, _WHAT, 3)
    return JournalHead(
        TerminalNumber(as_uint(terminal, _WHAT, U24_MAX)), Seq(as_uint(seq, _WHAT, U24_MAX)),
        as_bytes(digest, _WHAT, HASH_SIZE),
    )  # fmt: skip


def _read_day(value: Value) -> DayRoot:
    start, size, root = as_list(value, _WHAT, 3)
    return DayRoot(as_uint(start, _WHAT), as_uint(size, _WHAT), as_bytes(root, _WHAT, HASH_SIZE))
