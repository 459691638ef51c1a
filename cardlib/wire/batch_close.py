"""Type 12, the day's close (Z): what a till counted since the one before (entry-format 3)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from cardlib.codec.purse import SpendType
from cardlib.errors import MalformedError
from cardlib.wire.cbor import Value
from cardlib.wire.entry_header import EntryType
from cardlib.wire.fields import U24_MAX, Fields, as_list, as_uint
from cardlib.wire.ids import Seq
from cardlib.wire.ledger_head import LedgerHead

_WHAT = "batch close"


@dataclass(frozen=True, slots=True)
class Count:
    """How many sales, or voids, and their cents together."""

    number: int = 0
    cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClose:
    """Entries ``first`` to ``last`` are the batch that key 15 names; this entry follows them.

    ``waiting``: entries not yet acknowledged; ``unsettled``: operations whose outcome nobody
    knows. ``ledger`` is the backend's head as it last told it, None when it never did.
    """

    first: Seq
    last: Seq
    sales: Count
    voids: Count
    waiting: int
    unsettled: int
    ledger: LedgerHead | None = None

    type: ClassVar[EntryType] = EntryType.BATCH_CLOSE

    def fields(self) -> dict[int, Value]:
        """Its part of the payload map."""
        result: dict[int, Value] = {
            62: [self.first, self.last],
            63: [
                [int(SpendType.SALE), self.sales.number, self.sales.cents],
                [int(SpendType.VOID), self.voids.number, self.voids.cents],
            ],
            64: [self.waiting, self.unsettled],
        }
        if self.ledger is not None:
            result[65] = self.ledger.value()
        return result

    @classmethod
    def take(cls, fields: Fields) -> Self:
        """Takes its fields; MalformedError when they contradict each other."""
        first, last = (as_uint(item, _WHAT, U24_MAX) for item in fields.list(62, 2))
        sales, voids = fields.list(63, 2)
        waiting, unsettled = (as_uint(item, _WHAT, U24_MAX) for item in fields.list(64, 2))
        if not 1 <= first <= last + 1:
            raise MalformedError(_WHAT, "first and last do not agree")
        return cls(
            first=Seq(first), last=Seq(last),
            sales=_count(sales, SpendType.SALE), voids=_count(voids, SpendType.VOID),
            waiting=waiting, unsettled=unsettled,
            ledger=LedgerHead.read(fields.take(65), _WHAT) if fields.has(65) else None,
        )  # fmt: skip


def _count(value: Value, kind: SpendType) -> Count:
    number, count, cents = as_list(value, _WHAT, 3)
    if as_uint(number, _WHAT) != kind:
        raise MalformedError(_WHAT, "sales first, then voids, wanted")
    return Count(as_uint(count, _WHAT, U24_MAX), as_uint(cents, _WHAT))
