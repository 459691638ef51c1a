"""The check of a journal: gapless, chained, signed, canonical (law 5)."""

from dataclasses import dataclass

from cardlib.errors import CardlibError
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry import decode_entry
from cardlib.wire.ids import Seq
from terminal.journal.views import Head, StoredEntry, Views


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with the entry ``seq``; ``code`` has a sentence in the catalogue."""

    seq: int
    code: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What the check saw: number of entries, the newest one's hash, and all defects."""

    entries: int
    head_hash: bytes
    defects: tuple[Defect, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.defects


def check_chain(views: Views, signer: PublicKey) -> ChainReport:
    """Reads every entry of the journal and checks it against the one before."""
    before = Head(Seq(0), views.certificate_hash)
    defects: list[Defect] = []
    count = 0
    for stored in views.entries():
        defects += [Defect(stored.seq, code) for code in _defects(stored, before, signer)]
        before = Head(stored.seq, stored.hash)
        count += 1
    return ChainReport(count, before.hash, tuple(defects))


def _defects(stored: StoredEntry, before: Head, signer: PublicKey) -> list[str]:
    try:
        entry = decode_entry(stored.complete)
        entry.verify(signer)
    except CardlibError as error:
        return [error.code]
    found: list[str] = []
    if stored.seq != before.seq + 1 or entry.header.seq != stored.seq:
        found.append("CHAIN_GAP")
    if entry.header.prev_hash != before.hash:
        found.append("CHAIN_BROKEN")
    if entry.hash != stored.hash:
        found.append("CHAIN_HASH")
    return found
