"""Journal entries, read from their bytes alone (docs/entry-format.md).

``HEADER`` and ``BODIES`` are the normative tables of the entry format written
down as code. Nothing here checks a signature or a chain: ``chain`` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from backend.verifier.decoder import cbor, cose
from backend.verifier.decoder.shapes import (
    U16,
    U24,
    U32,
    Layout,
    Shape,
    flag,
    misfit,
    nullable,
    octets,
    row,
    rows,
    text,
    uint,
)

INTENT, SALE, RECOVERED, VOID, NOT_APPLIED, UNRESOLVED = 1, 2, 3, 4, 5, 6
PROOF, HEARTBEAT, GRANT_SEEN, DECLINED, BATCH_CLOSE = 7, 8, 9, 10, 12
COMMITTING = frozenset({SALE, RECOVERED, VOID})
"""Types that say: the card was debited, or credited by a void."""
RECORD_SALE, RECORD_VOID = 1, 2

HEADER: Layout = {
    1: uint(1, 1), 2: uint(BATCH_CLOSE, 1), 3: uint(U24), 4: uint(U24, 1), 5: octets(32),
    6: uint(), 7: uint(), 8: octets(), 9: uint(), 10: text(), 11: uint(), 12: uint(),
    13: uint(), 14: uint(2, 1), 15: uint(), 16: text(),
}  # fmt: skip

LEDGER_HEAD = row(uint(), octets(32))
"""Number and hash of a transfer."""
_RECORD = octets(54)
_PLAN = row(uint(U24), row(*[uint(U24)] * 6), uint(U32), uint(U16), octets(4), uint(RECORD_VOID, 1))
_LINE = row(uint(6, 1), uint(U24), uint(31), uint(U24, 1))
_COMMITTED: Layout = {
    48: uint(U24), 49: octets(32), 50: _RECORD, 51: octets(8), 52: nullable(octets(8)),
    53: uint(20), 54: text("direct", "retry", "recovered"), 55: uint(),
}  # fmt: skip


def _counted(kind: int) -> Shape:
    """How many records of ``kind``, and their cents."""
    return row(uint(kind, kind), uint(U24), uint())


BODIES: Mapping[int, Layout] = {
    INTENT: {
        32: octets(16), 33: _RECORD, 34: uint(20), 35: _PLAN, 36: rows(_LINE),
        37: rows(octets(32)), 38: uint(), 39: rows(row(uint(6), uint(U24), uint(U24))), 41: flag,
    },
    SALE: _COMMITTED, RECOVERED: _COMMITTED, VOID: _COMMITTED,
    NOT_APPLIED: {48: uint(U24), 56: text("not_sent", "read", "declined", "too_late")},
    UNRESOLVED: {48: uint(U24), 58: text()},
    PROOF: {32: octets(16), 59: rows(row(uint(20), _RECORD, octets(8), nullable(octets(8))))},
    HEARTBEAT: {60: row(uint(), uint())},
    GRANT_SEEN: {61: octets(91)},
    DECLINED: {56: text()},
    BATCH_CLOSE: {
        62: row(uint(U24, 1), uint(U24)),
        63: row(_counted(RECORD_SALE), _counted(RECORD_VOID)),
        64: row(uint(U24), uint(U24)),
    },
}  # fmt: skip
OPTIONAL: Mapping[int, Layout] = {
    INTENT: {40: row(uint(U24))},
    NOT_APPLIED: {57: _RECORD},
    BATCH_CLOSE: {65: LEDGER_HEAD},
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``fields`` is its whole payload, shapes checked."""

    document: cose.SignedDocument
    fields: Mapping[int, Any]

    @property
    def type(self) -> int:
        """Key 2."""
        return int(self.fields[2])

    @property
    def terminal(self) -> int:
        """Key 3."""
        return int(self.fields[3])

    @property
    def seq(self) -> int:
        """Key 4."""
        return int(self.fields[4])

    @property
    def prev(self) -> bytes:
        """Key 5: SHA-256 of the entry before, or of the certificate."""
        return bytes(self.fields[5])


@dataclass(frozen=True, slots=True)
class Line:
    """What one wallet pays in one category, in cents."""

    slot: int
    grant_seq: int
    category: int
    cents: int


@dataclass(frozen=True, slots=True)
class Intent:
    """What the till announced before it touched the card.

    ``prior`` is the card's record before, ``totals`` the cumulative cents per slot after.
    """

    issuer: bytes
    purse: bytes
    info_core: bytes
    prior: bytes
    ctr: int
    totals: tuple[int, ...]
    time: int
    prev: bytes
    kind: int
    lines: tuple[Line, ...]
    grant_hashes: tuple[bytes, ...]
    voided: int | None

    @property
    def by_slot(self) -> dict[int, int]:
        """Cents per slot; negative in a void."""
        sign = -1 if self.kind == RECORD_VOID else 1
        cents: dict[int, int] = {}
        for line in self.lines:
            cents[line.slot] = cents.get(line.slot, 0) + sign * line.cents
        return cents


def read(complete: bytes) -> Entry:
    """The entry; cbor.NotOneForm unless it has exactly the form of docs/entry-format.md."""
    document = cose.take_apart(complete)
    fields = cbor.loads(document.payload)
    if not isinstance(fields, dict):
        raise cbor.NotOneForm("the payload is not a map")
    kind = fields.get(2)
    body = BODIES.get(kind) if isinstance(kind, int) and not isinstance(kind, bool) else None
    if not isinstance(kind, int) or body is None:
        raise cbor.NotOneForm("the type is unknown")
    why = misfit(fields, {**HEADER, **body}, OPTIONAL.get(kind, {})) or _contradiction(kind, fields)
    if why:
        raise cbor.NotOneForm(why)
    return Entry(document, fields)


def link_of(complete: bytes) -> tuple[cose.SignedDocument, int, bytes]:
    """The document, keys 4 and 5 of an entry of any type; cbor.NotOneForm where they are not.

    An entry that the server could not read is a link of its journal all the same.
    """
    document = cose.take_apart(complete)
    fields = cbor.loads(document.payload)
    seq, prev = (fields.get(4), fields.get(5)) if isinstance(fields, dict) else (None, None)
    if not isinstance(seq, int) or isinstance(seq, bool) or not isinstance(prev, bytes):
        raise cbor.NotOneForm("the place cannot be read")
    return document, seq, prev


def _contradiction(kind: int, fields: Mapping[int, Any]) -> str | None:
    if kind == INTENT and (40 in fields) != (fields[35][5] == RECORD_VOID):
        return "field 40 belongs to a void, and only there"
    if kind == INTENT and len({line[0] for line in fields[36]}) != len(fields[37]):
        return "field 37 has not one hash for each slot"
    if kind == NOT_APPLIED and (fields[56] == "not_sent") == (57 in fields):
        return "fields 56 and 57 contradict each other"
    if kind == BATCH_CLOSE and fields[62][0] > fields[62][1] + 1:
        return "field 62 ends before it begins"
    return None


def intent_of(entry: Entry) -> Intent:
    """The body of an entry of type 1."""
    fields = entry.fields
    core, plan = fields[32], fields[35]
    return Intent(
        issuer=core[9:12], purse=core[1:9], info_core=core, prior=fields[33],
        ctr=plan[0], totals=tuple(plan[1]), time=plan[2], prev=plan[4], kind=plan[5],
        lines=tuple(Line(*line) for line in fields[36]), grant_hashes=tuple(fields[37]),
        voided=fields[40][0] if 40 in fields else None,
    )  # fmt: skip


def read_intent(complete: bytes) -> Intent:
    """The body of an entry that is known to be of type 1."""
    return intent_of(read(complete))


def record_ctr(record: bytes) -> int:
    """The counter that a record carries in clear."""
    return int.from_bytes(record[1:4], "big")


def record_intent(record: bytes) -> bytes:
    """The first 8 bytes of SHA-256 of the intent that a record was made from, in clear."""
    return record[4:12]


def digest(octets: bytes) -> bytes:
    """SHA-256, the only hash of these formats."""
    return sha256(octets).digest()
