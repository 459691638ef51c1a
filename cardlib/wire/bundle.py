"""The signed bundle that a till pulls: parameters and what it needs to judge a card.

COSE_Sign1 by the operator's key; versioned, never accepted backwards, applied
as a whole. Amounts in cents, times in Unix seconds. What an older service signed is
still read: a till that is brought up to date without a network goes on selling with it.
"""

from dataclasses import dataclass, field
from typing import Self

from cardlib.wire import cbor, sign1
from cardlib.wire.cbor import Value
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.fields import U24_MAX, Fields, as_bytes, as_list, as_text, as_uint
from cardlib.wire.ids import PurseId, Seq, TerminalNumber

_WHAT = "bundle"
_LIMITS, _LIMITS_AT_FIRST = 4, 3


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """The public key that signs an issuer's grants."""

    issuer: bytes
    key_id: int
    public_key: PublicKey


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme as a till shows it: number and name in words."""

    issuer: bytes
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Category:
    """A category of goods: bit 0 to 31, and its names in Italian and English."""

    bit: int
    name_it: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """The newest proven state of a purse: a card that shows less was rolled back."""

    purse: PurseId
    ctr: int
    record_hash: bytes
    least_grant_seq: int


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """A record that the backend wants read and attested; sent with its counter."""

    purse: PurseId
    ctr: int


@dataclass(frozen=True, slots=True)
class Decided:
    """An ``unresolved`` intent of a terminal, and the proven record that stands in its place.

    ``intent_hash``: the first 8 bytes; where the record carries them, the card was debited.
    """

    terminal: TerminalNumber
    seq: Seq
    intent_hash: bytes
    record: bytes


@dataclass(frozen=True, slots=True)
class KeySet:
    """A key set that tills must hold before cards change to it; the keys come apart."""

    issuer: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one till, cents and days; 0 means none.

    ``legacy_sale_cents`` is the most that a chip which cannot attest may pay in one sale; there
    0 means that such chips are not served.
    """

    sale_cents: int = 0
    offline_days_warn: int = 0
    offline_days_stop: int = 0
    legacy_sale_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Everything of one version. ``hotlist`` purses are refused at sight."""

    version: int
    issued_at: int
    parameters: int
    limits: Limits
    hotlist_version: int
    watermark_version: int
    issuer_keys: tuple[IssuerKey, ...] = ()
    programmes: tuple[Programme, ...] = ()
    categories: tuple[Category, ...] = ()
    hotlist: tuple[PurseId, ...] = ()
    watermarks: tuple[Watermark, ...] = ()
    proof_requests: tuple[ProofRequest, ...] = field(default=())
    key_sets: tuple[KeySet, ...] = ()
    card_limits: Limits | None = None
    """Bounds of tills whose security module is a card; None: the same as everybody's."""
    decided: tuple[Decided, ...] = ()

    def sign(self, key: SigningKey) -> bytes:
        """The complete bytes."""
        return sign1.sign(key, cbor.encode(self._fields()), sign1.BUNDLE_AAD)

    def _fields(self) -> dict[int, Value]:
        fields: dict[int, Value] = {
            1: self.version, 2: self.issued_at, 3: self.parameters,
            4: _limits_value(self.limits),
            5: self.hotlist_version, 6: self.watermark_version,
            7: [[key.issuer, key.key_id, key.public_key.raw] for key in self.issuer_keys],
            8: [[item.issuer, item.number, item.name] for item in self.programmes],
            9: [[item.bit, item.name_it, item.name_en] for item in self.categories],
            10: [_purse_value(purse) for purse in self.hotlist],
            11: [[_purse_value(mark.purse), mark.ctr, mark.record_hash, mark.least_grant_seq]
                 for mark in self.watermarks],
            12: [[_purse_value(request.purse), request.ctr] for request in self.proof_requests],
            13: [[item.issuer, item.number] for item in self.key_sets],
        }  # fmt: skip
        if self.card_limits is not None:
            fields[14] = _limits_value(self.card_limits)
        if self.decided:
            fields[15] = [
                [item.terminal, item.seq, item.intent_hash, item.record] for item in self.decided
            ]
        return fields

    @classmethod
    def open(cls, complete: bytes, operator: PublicKey) -> Self:
        """Verifies, then reads; AuthenticityError unless the operator signed it."""
        message = sign1.parse(complete)
        message.verify(operator, sign1.BUNDLE_AAD)
        fields = Fields.decode(message.payload, _WHAT)
        bundle = cls(
            version=fields.uint(1),
            issued_at=fields.uint(2),
            parameters=fields.uint(3),
            limits=_read_limits(fields.list(4)),
            hotlist_version=fields.uint(5),
            watermark_version=fields.uint(6),
            issuer_keys=tuple(_read_issuer_key(item) for item in fields.list(7)),
            programmes=tuple(_read_programme(item) for item in fields.list(8)),
            categories=tuple(_read_category(item) for item in fields.list(9)),
            hotlist=tuple(_read_purse(item) for item in fields.list(10)),
            watermarks=tuple(_read_watermark(item) for item in fields.list(11)),
            proof_requests=tuple(_read_proof_request(item) for item in fields.list(12)),
            key_sets=_read_key_sets(fields.list(13)) if fields.has(13) else (),
            card_limits=_read_limits(fields.list(14)) if fields.has(14) else None,
            decided=_read_all_decided(fields.list(15)) if fields.has(15) else (),
        )
        fields.end()
        return bundle


def _limits_value(limits: Limits) -> Value:
    return [
        limits.sale_cents, limits.offline_days_warn, limits.offline_days_stop,
        limits.legacy_sale_cents,
    ]  # fmt: skip


def _read_limits(values: list[Value]) -> Limits:
    """Three numbers, as they were signed at first, say nothing of legacy chips: none is served."""
    if len(values) != _LIMITS_AT_FIRST:
        values = as_list(values, _WHAT, _LIMITS)
    return Limits(*(as_uint(item, _WHAT) for item in values))


def _purse_value(purse: PurseId) -> Value:
    return [purse.issuer, purse.number]


def _read_purse(value: Value) -> PurseId:
    issuer, number = as_list(value, _WHAT, 2)
    return PurseId(as_bytes(issuer, _WHAT, 3), as_bytes(number, _WHAT, 8))


def _read_issuer_key(value: Value) -> IssuerKey:
    issuer, key_id, public = as_list(value, _WHAT, 3)
    return IssuerKey(
        as_bytes(issuer, _WHAT, 3), as_uint(key_id, _WHAT, 255),
        PublicKey(as_bytes(public, _WHAT, 32)),
    )  # fmt: skip


def _read_programme(value: Value) -> Programme:
    issuer, number, name = as_list(value, _WHAT, 3)
    return Programme(
        as_bytes(issuer, _WHAT, 3), as_uint(number, _WHAT, 0xFFFF), as_text(name, _WHAT)
    )


def _read_category(value: Value) -> Category:
    bit, name_it, name_en = as_list(value, _WHAT, 3)
    return Category(as_uint(bit, _WHAT, 31), as_text(name_it, _WHAT), as_text(name_en, _WHAT))


def _read_watermark(value: Value) -> Watermark:
    purse, ctr, digest, least = as_list(value, _WHAT, 4)
    return Watermark(
        _read_purse(purse), as_uint(ctr, _WHAT, U24_MAX),
        as_bytes(digest, _WHAT, 4), as_uint(least, _WHAT, U24_MAX),
    )  # fmt: skip


def _read_key_sets(values: list[Value]) -> tuple[KeySet, ...]:
    return tuple(_read_key_set(item) for item in values)


def _read_key_set(value: Value) -> KeySet:
    issuer, number = as_list(value, _WHAT, 2)
    return KeySet(as_bytes(issuer, _WHAT, 3), as_uint(number, _WHAT, 255))


def _read_proof_request(value: Value) -> ProofRequest:
    purse, ctr = as_list(value, _WHAT, 2)
    return ProofRequest(_read_purse(purse), as_uint(ctr, _WHAT, U24_MAX))


def _read_all_decided(values: list[Value]) -> tuple[Decided, ...]:
    return tuple(_read_decided(item) for item in values)


def _read_decided(value: Value) -> Decided:
    terminal, seq, intent_hash, record = as_list(value, _WHAT, 4)
    return Decided(
        TerminalNumber(as_uint(terminal, _WHAT, U24_MAX)), Seq(as_uint(seq, _WHAT, U24_MAX)),
        as_bytes(intent_hash, _WHAT, 8), as_bytes(record, _WHAT, 54),
    )  # fmt: skip
