"""What a till uploads and what the backend answers: batch, verdicts, acknowledgement.

The acknowledgement is a COSE_Sign1 message by the operator's key, so that the
till keeps it as evidence of what the backend has received.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cardlib.errors import MalformedError
from cardlib.wire import cbor, sign1
from cardlib.wire.ed25519 import PublicKey, SigningKey
from cardlib.wire.fields import U24_MAX, Fields, as_bytes, as_list, as_text, as_uint
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead

BATCH_ENTRIES_MAX = 500
"""Entries in one upload: bounded, so that a bad line loses little."""
_WHAT = "upload"


class Outcome(StrEnum):
    """What became of one uploaded entry."""

    CREATED = "created"
    EXISTS = "exists"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of one terminal, complete bytes, in journal order."""

    terminal: TerminalNumber
    entries: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The request's body."""
        return cbor.encode({1: self.terminal, 2: list(self.entries)})

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a body; MalformedError ``BATCH_TOO_LONG`` above the bound."""
        fields = Fields.decode(data, _WHAT)
        terminal = TerminalNumber(fields.uint(1, U24_MAX))
        entries = tuple(as_bytes(item, _WHAT) for item in fields.list(2))
        fields.end()
        if len(entries) > BATCH_ENTRIES_MAX:
            raise MalformedError(_WHAT, f"{len(entries)} entries", "BATCH_TOO_LONG")
        return cls(terminal, entries)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one entry, in the order of the batch; ``hash`` is its SHA-256.

    ``seq`` is 0 when the entry could not be read; ``reason`` is empty unless quarantined.
    """

    seq: Seq
    hash: bytes
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """The signed answer to a batch: verdicts, and how far the journal is accepted.

    ``ledger``: the head after the batch was booked; None in what older services signed.
    """

    terminal: TerminalNumber
    high_seq: Seq
    high_hash: bytes
    server_time: int
    nonce: int
    bundle_version: int
    verdicts: tuple[Verdict, ...]
    ledger: LedgerHead | None = None

    def sign(self, key: SigningKey) -> bytes:
        """The complete bytes."""
        verdicts: list[cbor.Value] = [
            [item.seq, item.hash, item.outcome.value, item.reason] for item in self.verdicts
        ]
        fields: dict[int, cbor.Value] = {
            1: self.terminal, 2: self.high_seq, 3: self.high_hash, 4: self.server_time,
            5: self.nonce, 6: self.bundle_version, 7: verdicts,
        }  # fmt: skip
        if self.ledger is not None:
            fields[8] = self.ledger.value()
        return sign1.sign(key, cbor.encode(fields), sign1.ACKNOWLEDGEMENT_AAD)

    @classmethod
    def open(cls, complete: bytes, operator: PublicKey) -> Self:
        """Verifies, then reads; AuthenticityError unless the operator signed it."""
        message = sign1.parse(complete)
        message.verify(operator, sign1.ACKNOWLEDGEMENT_AAD)
        fields = Fields.decode(message.payload, "acknowledgement")
        answer = cls(
            terminal=TerminalNumber(fields.uint(1, U24_MAX)),
            high_seq=Seq(fields.uint(2, U24_MAX)),
            high_hash=fields.bytes(3, 32),
            server_time=fields.uint(4),
            nonce=fields.uint(5),
            bundle_version=fields.uint(6),
            verdicts=tuple(_read_verdict(item) for item in fields.list(7)),
            ledger=LedgerHead.read(fields.take(8), "acknowledgement") if fields.has(8) else None,
        )
        fields.end()
        return answer


def _read_verdict(value: cbor.Value) -> Verdict:
    seq, digest, word, reason = as_list(value, "verdict", 4)
    outcome = as_text(word, "verdict")
    if outcome not in set(Outcome):
        raise MalformedError("verdict", f"outcome {outcome}")
    return Verdict(
        Seq(as_uint(seq, "verdict", U24_MAX)), as_bytes(digest, "verdict", 32),
        Outcome(outcome), as_text(reason, "verdict"),
    )  # fmt: skip
