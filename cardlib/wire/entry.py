"""Journal entries as signed, canonical bytes (PROTOCOL 4, docs/entry-format.md).

An entry is a COSE_Sign1 message whose payload is one CBOR map: the header
every entry has and the fields of its type. Verify first, then believe:
:func:`decode_entry` only reads; :meth:`Entry.verify` checks the signature.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cardlib.errors import MalformedError
from cardlib.wire import cbor, sign1
from cardlib.wire.batch_close import BatchClose
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry_body import (
    Body,
    Committed,
    Declined,
    GrantSeen,
    Heartbeat,
    Intent,
    NotApplied,
    Proof,
    Unresolved,
)
from cardlib.wire.entry_header import VERSION, EntryType, Header
from cardlib.wire.fields import Fields
from cardlib.wire.sign1 import Sign1

INTENT_HASH_SIZE = 8
"""Bytes of an intent's hash that go into the card's record."""

_TAKE: dict[EntryType, Callable[[Fields], Body]] = {
    EntryType.INTENT: Intent.take,
    EntryType.SALE: lambda fields: Committed.take(fields, EntryType.SALE),
    EntryType.RECOVERED: lambda fields: Committed.take(fields, EntryType.RECOVERED),
    EntryType.VOID: lambda fields: Committed.take(fields, EntryType.VOID),
    EntryType.NOT_APPLIED: NotApplied.take,
    EntryType.UNRESOLVED: Unresolved.take,
    EntryType.PROOF: Proof.take,
    EntryType.HEARTBEAT: Heartbeat.take,
    EntryType.GRANT_SEEN: GrantSeen.take,
    EntryType.DECLINED: Declined.take,
    EntryType.BATCH_CLOSE: BatchClose.take,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A decoded entry; ``message.complete`` are the bytes that were signed and chained."""

    message: Sign1
    header: Header
    body: Body

    @property
    def complete(self) -> bytes:
        """The bytes as received."""
        return self.message.complete

    @property
    def hash(self) -> bytes:
        """SHA-256 of the complete bytes: the next entry's ``prev_hash``."""
        return self.message.hash

    def verify(self, public: PublicKey) -> None:
        """AuthenticityError unless ``public`` signed this entry."""
        self.message.verify(public, sign1.ENTRY_AAD)


def encode_payload(header: Header, body: Body) -> bytes:
    """The payload to be signed with ``sign1.ENTRY_AAD``."""
    return cbor.encode(header.fields(body.type) | body.fields())


@lru_cache(maxsize=256)
def decode_entry(complete: bytes) -> Entry:
    """Reads one entry; MalformedError (or NotCanonicalError) for anything but its one form.

    The last ones are remembered: a till asks for its newest entry at every step of a sale.

    ENTRY_VERSION and ENTRY_TYPE are the codes for what this version cannot know.
    """
    message = sign1.parse(complete)
    fields = Fields.decode(message.payload, "entry")
    if fields.uint(1) != VERSION:
        raise MalformedError("entry", "unknown version", "ENTRY_VERSION")
    number = fields.uint(2)
    if number not in set(EntryType):
        raise MalformedError("entry", f"type {number}", "ENTRY_TYPE")
    header = Header.take(fields)
    body = _TAKE[EntryType(number)](fields)
    fields.end()
    return Entry(message, header, body)
