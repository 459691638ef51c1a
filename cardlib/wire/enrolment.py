"""How a terminal becomes one: request, certificate, answer.

The request carries the terminal's public keys, the one-time code that the
operator made for exactly this key, and a signature that shows possession. The
answer is the certificate (COSE_Sign1 by the operator) and the module keys,
sealed to the terminal's X25519 key (libsodium sealed box).

A module card has both keys on the chip. It says so in the request, and gets its
keys in a signed order (``cardlib.wire.module_order``) that only the chip can open.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.errors import MalformedError
from cardlib.wire import cbor, sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.fields import U24_MAX, Fields, as_bytes, as_list, as_uint
from cardlib.wire.ids import TerminalNumber


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """What the terminal sends: COSE_Sign1 by its own key over code and keys."""

    code: str
    public_key: PublicKey
    box_key: bytes
    module_class: ModuleClass = ModuleClass.SOFT

    @property
    def payload(self) -> bytes:
        """What is signed; a software module's request does not name its class."""
        fields: dict[int, cbor.Value] = {1: self.code, 2: self.public_key.raw, 3: self.box_key}
        if self.module_class is not ModuleClass.SOFT:
            fields[4] = int(self.module_class)
        return cbor.encode(fields)

    def sign(self, key: SigningKey) -> bytes:
        """The complete bytes; ``key`` must be the private half of ``public_key``."""
        return sign1.sign(key, self.payload, sign1.ENROLMENT_AAD)

    @classmethod
    def open(cls, complete: bytes) -> Self:
        """Reads and checks possession; AuthenticityError for a weak key or a bad signature."""
        message = sign1.parse(complete)
        fields = Fields.decode(message.payload, "enrolment")
        code, public_key = fields.text(1), PublicKey(fields.bytes(2, 32))
        box_key, kind = fields.bytes(3, 32), ModuleClass.SOFT
        if fields.has(4):
            if fields.uint(4) != ModuleClass.CARD:
                raise MalformedError("enrolment", "only a card names its class")
            kind = ModuleClass.CARD
        request = cls(code, public_key, box_key, kind)
        fields.end()
        message.verify(request.public_key, sign1.ENROLMENT_AAD)
        return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Who a terminal number belongs to; its complete bytes start the journal's chain.

    ``merchant`` is the merchant's number, ``issued_at`` in Unix seconds.
    """

    terminal: TerminalNumber
    public_key: PublicKey
    merchant: int
    merchant_name: str
    operator: str
    issued_at: int
    training: bool = False

    def sign(self, operator_key: SigningKey) -> bytes:
        """The complete bytes."""
        payload = cbor.encode(
            {
                1: self.terminal, 2: self.public_key.raw, 3: self.merchant,
                4: self.merchant_name, 5: self.operator, 6: self.issued_at, 7: self.training,
            }
        )  # fmt: skip
        return sign1.sign(operator_key, payload, sign1.CERTIFICATE_AAD)

    @classmethod
    def open(cls, complete: bytes, operator: PublicKey) -> Self:
        """Verifies, then reads; AuthenticityError unless the operator signed it."""
        message = sign1.parse(complete)
        message.verify(operator, sign1.CERTIFICATE_AAD)
        fields = Fields.decode(message.payload, "certificate")
        certificate = cls(
            terminal=TerminalNumber(fields.uint(1, U24_MAX)),
            public_key=PublicKey(fields.bytes(2, 32)),
            merchant=fields.uint(3),
            merchant_name=fields.text(4),
            operator=fields.text(5),
            issued_at=fields.uint(6),
            training=fields.bool(7),
        )
        fields.end()
        return certificate


@dataclass(frozen=True, slots=True)
class EnrolmentAnswer:
    """What the backend answers; the terminal checks the operator's fingerprint by eye once.

    ``sealed_keys``: module keys (:class:`ModuleKeys`) sealed to the terminal's box key;
    empty for a module card, whose keys are in ``module_order``.
    """

    operator_key: PublicKey
    certificate: bytes
    sealed_keys: bytes
    bundle: bytes
    module_order: bytes = b""

    def encode(self) -> bytes:
        """The response's body."""
        fields: dict[int, cbor.Value] = {
            1: self.operator_key.raw, 2: self.certificate, 3: self.sealed_keys, 4: self.bundle,
        }  # fmt: skip
        return cbor.encode(fields | ({5: self.module_order} if self.module_order else {}))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body. Nothing in it is trusted until its signatures are verified."""
        fields = Fields.decode(data, "enrolment answer")
        answer = cls(
            PublicKey(fields.bytes(1, 32)), fields.bytes(2), fields.bytes(3), fields.bytes(4),
            fields.bytes(5) if fields.has(5) else b"",
        )  # fmt: skip
        fields.end()
        return answer


@dataclass(frozen=True, slots=True)
class DebitMaster:
    """M_DEBIT of one issuer and key set: 32 bytes that only a security module may see."""

    issuer: bytes
    key_set: int
    key: bytes

    def __repr__(self) -> str:
        return f"DebitMaster({self.issuer.hex()}, {self.key_set}, …)"


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """K_DC, K_DR and K_REC of one enrolled purse, by INFO bytes 0 to 13."""

    core: bytes
    command: bytes
    response: bytes
    record: bytes

    def __repr__(self) -> str:
        return f"DerivedKeys({self.core.hex()}, …)"


@dataclass(frozen=True, slots=True)
class ModuleKeys:
    """The secret part of an enrolment: what the till's security module receives.

    ``purses``: keys of enrolled purses, where a town gives no master away.
    """

    masters: tuple[DebitMaster, ...]
    purses: tuple[DerivedKeys, ...] = ()

    def encode(self) -> bytes:
        """Bytes to be sealed; never to be stored in clear."""
        rows: list[cbor.Value] = [[item.issuer, item.key_set, item.key] for item in self.masters]
        purses: list[cbor.Value] = [
            [item.core, item.command, item.response, item.record] for item in self.purses
        ]
        fields: dict[int, cbor.Value] = {1: rows}
        return cbor.encode(fields | ({2: purses} if purses else {}))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads what was unsealed."""
        fields = Fields.decode(data, "module keys")
        masters = tuple(_read_master(row) for row in fields.list(1))
        rows = fields.list(2) if fields.has(2) else []
        fields.end()
        return cls(masters, tuple(_read_derived(row) for row in rows))


def _read_derived(value: cbor.Value) -> DerivedKeys:
    core, *keys = as_list(value, "module keys", 4)
    command, response, record = (as_bytes(key, "key", 16) for key in keys)
    return DerivedKeys(as_bytes(core, "INFO", 14), command, response, record)


def _read_master(value: cbor.Value) -> DebitMaster:
    issuer, key_set, key = as_list(value, "module keys", 3)
    return DebitMaster(
        as_bytes(issuer, "issuer", 3), as_uint(key_set, "key set", 255), as_bytes(key, "key", 32)
    )
