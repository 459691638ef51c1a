"""How a till gets the keys of a new key set, and says that it has them.

The till asks with its box key and the key sets that its module holds; the request is
signed as every request (``cardlib.wire.http_signatures``), so that it is the terminal's
own word. The answer is COSE_Sign1 by the operator: a till keeps it as received and
believes it again at every start.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.wire import cbor, sign1
from cardlib.wire.cbor import Value
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.fields import U24_MAX, Fields, as_bytes, as_list, as_uint
from cardlib.wire.ids import TerminalNumber

_WHAT = "module keys"
HeldSet = tuple[bytes, int]
"""Issuer and number of a key set."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """``box_key``: X25519, to which the keys are sealed; ``held``: what is here for certain."""

    box_key: bytes
    held: tuple[HeldSet, ...]

    def encode(self) -> bytes:
        """The request's body."""
        rows: list[Value] = [[issuer, number] for issuer, number in self.held]
        return cbor.encode({1: self.box_key, 2: rows})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body."""
        fields = Fields.decode(data, _WHAT)
        request = cls(fields.bytes(1, 32), tuple(_held(row) for row in fields.list(2)))
        fields.end()
        return request


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """``sealed``: ``cardlib.wire.enrolment.ModuleKeys`` for this terminal's box key."""

    terminal: TerminalNumber
    sealed: bytes

    def sign(self, operator_key: SigningKey) -> bytes:
        """The complete bytes."""
        payload = cbor.encode({1: self.terminal, 2: self.sealed})
        return sign1.sign(operator_key, payload, sign1.MODULE_KEYS_AAD)

    @classmethod
    def open(cls, complete: bytes, operator: PublicKey) -> Self:
        """Verifies, then reads; AuthenticityError unless the operator signed it."""
        message = sign1.parse(complete)
        message.verify(operator, sign1.MODULE_KEYS_AAD)
        fields = Fields.decode(message.payload, _WHAT)
        answer = cls(TerminalNumber(fields.uint(1, U24_MAX)), fields.bytes(2))
        fields.end()
        return answer


def _held(value: Value) -> HeldSet:
    issuer, number = as_list(value, _WHAT, 2)
    return as_bytes(issuer, _WHAT, 3), as_uint(number, _WHAT, 255)
