"""What an operator allows a module card, and what the module says it has done.

Both are COSE_Sign1. The :class:`ModuleOrder` by the operator's key: how many debits and
how many cents the module may *ever* reach, a ceiling for one debit, and keys sealed to
the module (empty: those it has stay). Limits are cumulative, like the totals on a purse:
an order that comes late, twice or not at all gives nothing away. The
:class:`ModuleState` by the module's own key: what it has reached.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.wire import cbor, sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.fields import U24_MAX, Fields
from cardlib.wire.ids import TerminalNumber

ORDER_AAD = b"borsellino/1/module-order"
STATE_AAD = b"borsellino/1/module-state"
COUNT_MAX = 0xFFFFFFFF
CENTS_MAX = 0xFFFFFFFFFFFF
NUMBER_MAX = 0xFFFFFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleOrder:
    """``number`` grows with each order (milliseconds of time, in practice);
    ``ceiling`` in cents a debit, 0 for none.

    ``sealed_keys``: module keys in a sealed box to the module's own box key, or empty.
    """

    module: PublicKey
    number: int
    debits_max: int
    cents_max: int
    ceiling: int = 0
    sealed_keys: bytes = b""

    def sign(self, operator: SigningKey) -> bytes:
        """The complete bytes."""
        payload = cbor.encode(
            {
                1: self.module.raw, 2: self.number, 3: self.debits_max, 4: self.cents_max,
                5: self.ceiling, 6: self.sealed_keys,
            }
        )  # fmt: skip
        return sign1.sign(operator, payload, ORDER_AAD)

    @classmethod
    def open(cls, complete: bytes, operator: PublicKey) -> Self:
        """Verifies, then reads; AuthenticityError unless the operator signed it."""
        message = sign1.parse(complete)
        message.verify(operator, ORDER_AAD)
        fields = Fields.decode(message.payload, "module order")
        order = cls(
            module=PublicKey(fields.bytes(1, 32)), number=fields.uint(2, NUMBER_MAX),
            debits_max=fields.uint(3, COUNT_MAX), cents_max=fields.uint(4, CENTS_MAX),
            ceiling=fields.uint(5, CENTS_MAX), sealed_keys=fields.bytes(6),
        )  # fmt: skip
        fields.end()
        return order


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleState:
    """What a module has debited since it was made, and the order that it obeys."""

    module: PublicKey
    terminal: TerminalNumber
    order: int
    debits: int
    cents: int
    debits_max: int
    cents_max: int
    ceiling: int

    @property
    def debits_left(self) -> int:
        """Debits that the order still allows."""
        return max(self.debits_max - self.debits, 0)

    @property
    def cents_left(self) -> int:
        """Cents that the order still allows."""
        return max(self.cents_max - self.cents, 0)

    @classmethod
    def open(cls, complete: bytes, module: PublicKey | None = None) -> Self:
        """Verifies with the key it names, which must be ``module`` where one is given."""
        message = sign1.parse(complete)
        fields = Fields.decode(message.payload, "module state")
        own = PublicKey(fields.bytes(1, 32))
        message.verify(own if module is None else module, STATE_AAD)
        state = cls(
            module=own, terminal=TerminalNumber(fields.uint(2, U24_MAX)),
            order=fields.uint(3, NUMBER_MAX), debits=fields.uint(4), cents=fields.uint(5),
            debits_max=fields.uint(6), cents_max=fields.uint(7), ceiling=fields.uint(8),
        )  # fmt: skip
        fields.end()
        return state
