"""A load's plan at rest: CBOR map 1 history wanted (a record number, 0 for none), 2 the plan.

The plan: ``[[record, grant 91 bytes] or null, [records to clear], map, touch, reread]``.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.codec.files import EF_GRANT, EF_SPEND
from cardlib.dialogues.load import GrantWrite, LoadPlan
from cardlib.keys.grants import SignedGrant
from cardlib.wire import cbor
from cardlib.wire.cbor import Value
from cardlib.wire.fields import Fields, as_bytes, as_list, as_uint

_WHAT = "load plan"


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """What was asked for and decided so far."""

    read_down: int = 0
    plan: LoadPlan | None = None

    def encode(self) -> bytes:
        """The session row's ``plan``."""
        return cbor.encode({1: self.read_down, 2: _plan_value(self.plan)})

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """Reads a row's ``plan``; an empty one before anything was decided."""
        if data is None:
            return cls()
        fields = Fields.decode(data, _WHAT)
        stored = cls(fields.uint(1, EF_SPEND.records), _plan(fields.take(2)))
        fields.end()
        return stored


def _plan_value(plan: LoadPlan | None) -> Value:
    if plan is None:
        return None
    write: Value = None
    if plan.write is not None:
        write = [plan.write.number, bytes(plan.write.signed)]
    return [write, list(plan.clear), plan.record_map, plan.touch_map, plan.reread]


def _plan(value: Value) -> LoadPlan | None:
    if value is None:
        return None
    write, clear, record_map, touch_map, reread = as_list(value, _WHAT, 5)
    numbers = tuple(as_uint(item, _WHAT, EF_GRANT.records) for item in as_list(clear, _WHAT))
    return LoadPlan(
        _write(write), numbers, as_uint(record_map, _WHAT, 255), touch_map is True, reread is True
    )


def _write(value: Value) -> GrantWrite | None:
    if value is None:
        return None
    number, signed = as_list(value, _WHAT, 2)
    return GrantWrite(
        as_uint(number, _WHAT, EF_GRANT.records), SignedGrant.decode(as_bytes(signed, _WHAT))
    )
