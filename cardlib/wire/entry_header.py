"""The header of every journal entry: keys 1 to 16 of the payload (PROTOCOL 4)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from cardlib.errors import MalformedError
from cardlib.wire.cbor import Value
from cardlib.wire.fields import U24_MAX, Fields
from cardlib.wire.ids import Seq, TerminalNumber

VERSION = 1


class EntryType(IntEnum):
    """Key 2 of every entry."""

    INTENT = 1
    SALE = 2
    RECOVERED = 3
    VOID = 4
    NOT_APPLIED = 5
    UNRESOLVED = 6
    PROOF = 7
    HEARTBEAT = 8
    GRANT_SEEN = 9
    DECLINED = 10
    BATCH_CLOSE = 12


class ModuleClass(IntEnum):
    """What kind of security module the till had."""

    SOFT = 1
    CARD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Keys 1 to 16; times in milliseconds."""

    terminal: TerminalNumber
    seq: Seq
    prev_hash: bytes
    wall_ms: int
    monotonic_ms: int
    boot_id: bytes
    clock_flags: int
    software: str
    parameters: int
    hotlist: int
    watermark: int
    module_class: ModuleClass
    batch: int
    cashier: str

    def fields(self, kind: EntryType) -> dict[int, Value]:
        """The header's part of the payload map."""
        return {
            1: VERSION, 2: int(kind), 3: self.terminal, 4: self.seq, 5: self.prev_hash,
            6: self.wall_ms, 7: self.monotonic_ms, 8: self.boot_id, 9: self.clock_flags,
            10: self.software, 11: self.parameters, 12: self.hotlist, 13: self.watermark,
            14: int(self.module_class), 15: self.batch, 16: self.cashier,
        }  # fmt: skip

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes keys 3 to 16 from the map."""
        return cls(
            terminal=TerminalNumber(fields.uint(3, U24_MAX)),
            seq=_seq(fields.uint(4, U24_MAX)),
            prev_hash=fields.bytes(5, 32),
            wall_ms=fields.uint(6),
            monotonic_ms=fields.uint(7),
            boot_id=fields.bytes(8),
            clock_flags=fields.uint(9),
            software=fields.text(10),
            parameters=fields.uint(11),
            hotlist=fields.uint(12),
            watermark=fields.uint(13),
            module_class=_module_class(fields.uint(14)),
            batch=fields.uint(15),
            cashier=fields.text(16),
        )


def _seq(value: int) -> Seq:
    if not value:
        raise MalformedError("entry", "numbers begin with 1")
    return Seq(value)


def _module_class(value: int) -> ModuleClass:
    try:
        return ModuleClass(value)
    except ValueError as error:
        raise MalformedError("entry", f"module class {value}") from error
