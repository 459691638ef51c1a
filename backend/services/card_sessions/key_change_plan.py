"""A key-set change at rest: what a session found at its start and decided since.

CBOR map: 1 INFO core before, 2 INFO core after, 3 keys changed earlier, 4 core changed
earlier, 5 begun, 6 the plan: ``[[[record, grant 91 bytes or empty], …], init (46 bytes or
empty), map]`` or null.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.codec.files import EF_GRANT
from cardlib.codec.purse import Spend
from cardlib.dialogues.key_set_change import GrantMove, KeyChangePlan
from cardlib.keys.grants import SignedGrant
from cardlib.wire import cbor
from cardlib.wire.cbor import Value
from cardlib.wire.fields import Fields, as_bytes, as_list, as_uint

_WHAT = "key change plan"


@dataclass(frozen=True, slots=True)
class StoredChange:
    """The session row's ``plan``."""

    old_core: bytes
    new_core: bytes
    keys_changed: bool
    core_changed: bool
    begun: bool = False
    plan: KeyChangePlan | None = None

    def encode(self) -> bytes:
        """As CBOR."""
        plan = None if self.plan is None else _plan_value(self.plan)
        return cbor.encode(
            {
                1: self.old_core, 2: self.new_core, 3: self.keys_changed, 4: self.core_changed,
                5: self.begun, 6: plan,
            }
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads what :meth:`encode` wrote."""
        fields = Fields.decode(data, _WHAT)
        stored = cls(
            fields.bytes(1, 16), fields.bytes(2, 16), fields.bool(3), fields.bool(4),
            fields.bool(5), _plan(fields.take(6)),
        )  # fmt: skip
        fields.end()
        return stored


def _plan_value(plan: KeyChangePlan) -> Value:
    moves: list[Value] = [
        [move.number, b"" if move.signed is None else bytes(move.signed)] for move in plan.moves
    ]
    return [moves, b"" if plan.init is None else bytes(plan.init), plan.record_map]


def _plan(value: Value) -> KeyChangePlan | None:
    if value is None:
        return None
    moves, init, record_map = as_list(value, _WHAT, 3)
    clear = as_bytes(init, _WHAT)
    return KeyChangePlan(
        tuple(_move(item) for item in as_list(moves, _WHAT)),
        Spend.decode(clear) if clear else None,
        as_uint(record_map, _WHAT, 255),
    )


def _move(value: Value) -> GrantMove:
    number, signed = as_list(value, _WHAT, 2)
    grant = as_bytes(signed, _WHAT)
    return GrantMove(
        as_uint(number, _WHAT, EF_GRANT.records), SignedGrant.decode(grant) if grant else None
    )
