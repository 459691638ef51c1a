"""Reads what a terminal uploaded, and tells what is authentic and where it belongs.

An entry is authentic when its own signature is good, or when an authentic entry of
the same upload names its hash as the one before: the chain covers the whole bytes,
signature included. A bad signature below a good one is a defect, not a forgery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cardlib.errors import AuthenticityError, CardlibError, MalformedError
from cardlib.wire import sign1
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry import Entry, decode_entry
from cardlib.wire.fields import U24_MAX, Fields
from cardlib.wire.ids import TerminalNumber
from cardlib.wire.sign1 import Sign1

COLUMN_MAX = 2**63 - 1
_Place = tuple[int, int, int, bytes, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One uploaded entry. ``entry`` is None when its content cannot be read.

    ``seq`` is 0 and ``prev_hash`` empty when not even the place can be read. ``problem`` is
    the code of what is wrong with the bytes themselves.
    """

    complete: bytes
    hash: bytes
    terminal: int = 0
    seq: int = 0
    prev_hash: bytes = b""
    type: int = 0
    wall_ms: int = 0
    entry: Entry | None = None
    signed: bool = False
    authentic: bool = False
    problem: str = ""

    @property
    def placed(self) -> bool:
        """Whether its place in a chain can be read."""
        return self.seq > 0


def read_uploads(
    terminal: TerminalNumber, entries: Sequence[bytes], public: PublicKey
) -> list[Upload]:
    """Reads ``entries`` in their order."""
    uploads: list[Upload] = []
    above: Upload | None = None
    for complete in reversed(entries):
        above = _read(terminal, complete, public, above)
        uploads.append(above)
    return uploads[::-1]


def _read(
    terminal: TerminalNumber, complete: bytes, public: PublicKey, above: Upload | None
) -> Upload:
    digest = sha256(complete).digest()
    entry, problem = _content(complete)
    try:
        message = entry.message if entry is not None else sign1.parse(complete)
        placed = entry is not None and entry.header.seq > 0
        number, place, kind, prev_hash, wall_ms = (
            _place(entry) if entry is not None and placed else _any_place(message)
        )
    except CardlibError as error:
        return Upload(complete=complete, hash=digest, problem=error.code)
    signed = _is_signed(message, public)
    vouched = above is not None and above.authentic and above.prev_hash == digest
    if number != terminal:
        problem = "ENTRY_OTHER_TERMINAL"
    return Upload(
        complete=complete, hash=digest, terminal=number, seq=place, prev_hash=prev_hash,
        type=kind, wall_ms=wall_ms, entry=entry, signed=signed,
        authentic=(signed or vouched) and number == terminal, problem=problem,
    )  # fmt: skip


def _content(complete: bytes) -> tuple[Entry | None, str]:
    try:
        return decode_entry(complete), ""
    except CardlibError as error:
        return None, error.code


def _is_signed(message: Sign1, public: PublicKey) -> bool:
    try:
        message.verify(public, sign1.ENTRY_AAD)
    except AuthenticityError:
        return False
    return True


def _place(entry: Entry) -> _Place:
    """The same of an entry whose content could be read."""
    header = entry.header
    wall_ms = min(header.wall_ms, COLUMN_MAX)
    return header.terminal, header.seq, int(entry.body.type), header.prev_hash, wall_ms


def _any_place(message: Sign1) -> _Place:
    """Terminal, seq, type, previous hash and wall time: readable in every version.

    Numbers above what a column holds are cut: the stored bytes keep the true ones.
    """
    fields = Fields.decode(message.payload, "entry")
    kind = min(fields.uint(2), COLUMN_MAX)
    terminal, seq = fields.uint(3, U24_MAX), fields.uint(4, U24_MAX)
    if seq == 0:
        raise MalformedError("entry", "seq counts from 1")
    return terminal, seq, kind, fields.bytes(5, 32), min(fields.uint(6), COLUMN_MAX)
