"""The bodies of journal entries: keys 32 to 61, one class a type (PROTOCOL 4); 62 to 65, the
day's close, are in ``batch_close``.

Amounts are cents; lines and shown balances are per wallet slot. A void's lines
are positive too: the sign follows from the type.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from cardlib.codec.purse import SpendType, Totals
from cardlib.errors import MalformedError
from cardlib.wire.batch_close import BatchClose
from cardlib.wire.cbor import Value
from cardlib.wire.entry_header import EntryType
from cardlib.wire.fields import U24_MAX, Fields, as_bytes, as_list, as_uint
from cardlib.wire.ids import Seq

_RECORD = 54
_CORE = 16
_SLOT_MAX = 6
_CATEGORY_MAX = 31


class How(StrEnum):
    """How the till came to know that the card was debited (key 54)."""

    DIRECT = "direct"
    RETRY = "retry"
    RECOVERED = "recovered"


class NotAppliedCode(StrEnum):
    """Why an intent did not become a sale (key 56)."""

    NOT_SENT = "not_sent"
    READ = "read"
    DECLINED = "declined"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Plan:
    """Key 35: the record that the UPDATE will write, but for terminal, seq and hash."""

    ctr: int
    totals: Totals
    time: int
    day_spent: int
    prev: bytes
    type: SpendType

    def value(self) -> Value:
        """As CBOR."""
        totals: list[Value] = list(self.totals)
        return [self.ctr, totals, self.time, self.day_spent, self.prev, int(self.type)]

    @classmethod
    def read(cls, value: Value) -> Self:
        """From CBOR."""
        ctr, totals, time, day_spent, prev, kind = as_list(value, "plan", 6)
        s1, s2, s3, s4, s5, s6 = (
            as_uint(total, "plan", U24_MAX) for total in as_list(totals, "plan", 6)
        )
        number = as_uint(kind, "plan", 2)
        if number == SpendType.INIT:
            raise MalformedError("plan", "a sale or a void wanted")
        return cls(
            as_uint(ctr, "plan", U24_MAX), (s1, s2, s3, s4, s5, s6),
            as_uint(time, "plan", 0xFFFFFFFF), as_uint(day_spent, "plan", 0xFFFF),
            as_bytes(prev, "plan", 4), SpendType(number),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """Key 36: what one wallet pays in one category, in cents, above zero."""

    slot: int
    grant_seq: int
    category: int
    cents: int

    def value(self) -> Value:
        """As CBOR."""
        return [self.slot, self.grant_seq, self.category, self.cents]

    @classmethod
    def read(cls, value: Value) -> Self:
        """From CBOR."""
        slot, grant_seq, category, cents = as_list(value, "line", 4)
        line = cls(
            as_uint(slot, "line", _SLOT_MAX), as_uint(grant_seq, "line", U24_MAX),
            as_uint(category, "line", _CATEGORY_MAX), as_uint(cents, "line", U24_MAX),
        )  # fmt: skip
        if not line.slot or not line.cents:
            raise MalformedError("line", "slot and cents above zero wanted")
        return line


@dataclass(frozen=True, slots=True)
class Shown:
    """Key 39: what the customer saw of one wallet, before and after, in cents."""

    slot: int
    before: int
    after: int

    def value(self) -> Value:
        """As CBOR."""
        return [self.slot, self.before, self.after]

    @classmethod
    def read(cls, value: Value) -> Self:
        """From CBOR."""
        slot, before, after = as_list(value, "shown", 3)
        return cls(
            as_uint(slot, "shown", _SLOT_MAX), as_uint(before, "shown", U24_MAX),
            as_uint(after, "shown", U24_MAX),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Type 1: the till is about to debit, and will do exactly this."""

    info_core: bytes
    newest_record: bytes
    newest_index: int
    plan: Plan
    lines: tuple[Line, ...]
    grant_hashes: tuple[bytes, ...]
    other_cents: int
    shown: tuple[Shown, ...]
    pin_asked: bool
    voided: Seq | None = None

    type: ClassVar[EntryType] = EntryType.INTENT

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        result: dict[int, Value] = {
            32: self.info_core, 33: self.newest_record, 34: self.newest_index,
            35: self.plan.value(), 36: [line.value() for line in self.lines],
            37: list(self.grant_hashes), 38: self.other_cents,
            39: [item.value() for item in self.shown], 41: self.pin_asked,
        }  # fmt: skip
        if self.voided is not None:
            result[40] = [self.voided]
        return result

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields; MalformedError when they contradict each other."""
        intent = cls(
            info_core=fields.bytes(32, _CORE),
            newest_record=fields.bytes(33, _RECORD),
            newest_index=fields.uint(34, 20),
            plan=Plan.read(fields.take(35)),
            lines=tuple(Line.read(item) for item in fields.list(36)),
            grant_hashes=tuple(as_bytes(item, "grant hash", 32) for item in fields.list(37)),
            other_cents=fields.uint(38),
            shown=tuple(Shown.read(item) for item in fields.list(39)),
            voided=Seq(as_uint(fields.list(40, 1)[0], "voided", U24_MAX))
            if fields.has(40)
            else None,
            pin_asked=fields.bool(41),
        )
        if (intent.voided is not None) != (intent.plan.type == SpendType.VOID):
            raise MalformedError("intent", "key 40 belongs to a void, and only there")
        if len({line.slot for line in intent.lines}) != len(intent.grant_hashes):
            raise MalformedError("intent", "one grant hash for each slot wanted")
        return intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """Types 2 to 4, sale, recovered, void: the card was debited, and here is its proof."""

    type: EntryType
    intent_seq: Seq
    intent_hash: bytes
    record: bytes
    random: bytes
    tc: bytes | None
    index: int
    how: How
    receipt: int

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        return {
            48: self.intent_seq, 49: self.intent_hash, 50: self.record, 51: self.random,
            52: self.tc, 53: self.index, 54: self.how.value, 55: self.receipt,
        }  # fmt: skip

    @classmethod
    def take(cls, fields: Fields, kind: EntryType) -> Self:
        """Takes its fields."""
        return cls(
            type=kind,
            intent_seq=Seq(fields.uint(48, U24_MAX)),
            intent_hash=fields.bytes(49, 32),
            record=fields.bytes(50, _RECORD),
            random=fields.bytes(51, 8),
            tc=_optional_mac(fields.take(52)),
            index=fields.uint(53, 20),
            how=_how(fields.text(54)),
            receipt=fields.uint(55),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplied:
    """Type 5: the intent did not change the card."""

    intent_seq: Seq
    code: NotAppliedCode
    newest_record: bytes | None

    type: ClassVar[EntryType] = EntryType.NOT_APPLIED

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        result: dict[int, Value] = {48: self.intent_seq, 56: self.code.value}
        if self.newest_record is not None:
            result[57] = self.newest_record
        return result

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields; the record is absent with ``not_sent`` and only then."""
        intent_seq, word = Seq(fields.uint(48, U24_MAX)), fields.text(56)
        record = fields.bytes(57, _RECORD) if fields.has(57) else None
        if word not in set(NotAppliedCode) or (word == NotAppliedCode.NOT_SENT) != (record is None):
            raise MalformedError("not_applied", "code and record do not agree")
        return cls(intent_seq=intent_seq, code=NotAppliedCode(word), newest_record=record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Type 6: nobody here can tell; the backend decides. ``code`` says why."""

    intent_seq: Seq
    code: str

    type: ClassVar[EntryType] = EntryType.UNRESOLVED

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        return {48: self.intent_seq, 58: self.code}

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields."""
        return cls(intent_seq=Seq(fields.uint(48, U24_MAX)), code=fields.text(58))


@dataclass(frozen=True, slots=True)
class AttestedRead:
    """A record as a card returned it for ``random``; ``tc`` is its MAC under K_TC."""

    index: int
    record: bytes
    random: bytes
    tc: bytes | None

    def value(self) -> Value:
        """As CBOR."""
        return [self.index, self.record, self.random, self.tc]

    @classmethod
    def read(cls, value: Value) -> Self:
        """From CBOR."""
        index, record, random, tc = as_list(value, "proof", 4)
        return cls(
            as_uint(index, "proof", 20), as_bytes(record, "proof", _RECORD),
            as_bytes(random, "proof", 8), _optional_mac(tc),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Type 7: attested reads that the backend asked for."""

    info_core: bytes
    reads: tuple[AttestedRead, ...]

    type: ClassVar[EntryType] = EntryType.PROOF

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        return {32: self.info_core, 59: [read.value() for read in self.reads]}

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields."""
        reads = tuple(AttestedRead.read(item) for item in fields.list(59))
        return cls(info_core=fields.bytes(32, _CORE), reads=reads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """Type 8: the till is alive; the last signed server time (Unix seconds) and its nonce."""

    server_time: int
    nonce: int

    type: ClassVar[EntryType] = EntryType.HEARTBEAT

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        return {60: [self.server_time, self.nonce]}

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields."""
        time, nonce = fields.list(60, 2)
        return cls(server_time=as_uint(time, "heartbeat"), nonce=as_uint(nonce, "heartbeat"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSeen:
    """Type 9: a grant in clear, 91 bytes with its signature, once per purse and number."""

    grant: bytes

    type: ClassVar[EntryType] = EntryType.GRANT_SEEN

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        return {61: self.grant}

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields."""
        return cls(grant=fields.bytes(61, 91))


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Type 10: a card was refused before any intent; ``code`` says why."""

    code: str

    type: ClassVar[EntryType] = EntryType.DECLINED

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        return {56: self.code}

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields."""
        return cls(code=fields.text(56))


Body = (
    Intent
    | Committed
    | NotApplied
    | Unresolved
    | Proof
    | Heartbeat
    | GrantSeen
    | Declined
    | BatchClose
)


def _optional_mac(value: Value) -> bytes | None:
    return None if value is None else as_bytes(value, "tc", 8)


def _how(word: str) -> How:
    if word not in set(How):
        raise MalformedError("entry", f"how: {word}")
    return How(word)
