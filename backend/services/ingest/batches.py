"""Ingest: a batch of journal entries in, one verdict each and a signed acknowledgement out.

A batch is never refused for one bad entry (law 7). The same entry again is
``exists``; other bytes for a place that is taken are a fork. Verdicts, postings
and the acknowledgement become durable in one transaction.
"""

from dataclasses import dataclass, field

from backend.adapters.key_store import KeyStore
from backend.adapters.tables.journals import AcknowledgementRow, EntryRow, QuarantineRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.unit_of_work import Unit
from backend.errors import NotPermittedError
from backend.services.alarms import raise_alarm
from backend.services.ingest.entry_content import EntryContent, EntryProblemError, Touched
from backend.services.ingest.looking_up import look_up
from backend.services.ingest.uploads import Upload, read_uploads
from backend.services.keys.purse_keys import PurseKeyring
from backend.services.terminals.bundles import LastLook, current_version
from backend.services.unit_of_work import Work
from backend.services.verdicts.judgement import judge_purses
from cardlib.ports import Clock, Randomness
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.upload import Acknowledgement, Batch, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Ingest:
    """The use case, with its ports."""

    work: Work
    keys: KeyStore
    clock: Clock
    randomness: Randomness
    last_look: LastLook = field(default_factory=LastLook)

    def submit(self, batch: Batch, signer: TerminalNumber) -> bytes:
        """Takes in ``batch``; the complete bytes of the acknowledgement.

        ``signer`` is the terminal that signed the request. UnknownError
        ``TERMINAL_UNKNOWN``; NotPermittedError ``TERMINAL_OTHER`` for another's journal.
        """
        if batch.terminal != signer:
            raise NotPermittedError("TERMINAL_OTHER", terminal=batch.terminal)
        now = self.clock.unix_ms() // 1000
        with self.work.begin() as unit:
            terminal = unit.terminals.terminal(batch.terminal)
            verdicts = _Intake(unit, self.keys, terminal, now).take(batch)
            version = current_version(unit, self.keys, self.last_look, now)
            answer = Acknowledgement(
                terminal=batch.terminal,
                high_seq=Seq(terminal.high_seq),
                high_hash=terminal.high_hash,
                server_time=now,
                nonce=int.from_bytes(self.randomness.bytes(8), "big"),
                bundle_version=version,
                verdicts=tuple(verdicts),
                ledger=LedgerHead(*unit.ledger.head()),
            ).sign(self.keys.operator_key())
            unit.keep(
                AcknowledgementRow(terminal=terminal.number, complete=answer, server_time=now)
            )
            unit.commit()
        return answer


class _Intake:
    """One batch of one terminal inside one unit of work."""

    def __init__(self, unit: Unit, keys: KeyStore, terminal: TerminalRow, now: int) -> None:
        self._unit = unit
        self._terminal = terminal
        self._now = now
        self._touched = Touched()
        self._content = EntryContent(unit, PurseKeyring(keys), terminal, self._touched, now)

    def take(self, batch: Batch) -> list[Verdict]:
        public = PublicKey(self._terminal.public_key)
        uploads = read_uploads(batch.terminal, batch.entries, public)
        look_up(self._unit, self._terminal, uploads)
        verdicts = [self._verdict(upload) for upload in uploads]
        changes = [
            (self._unit.cards.purse_by_id(purse_id), ctr)
            for purse_id, ctr in sorted(self._touched.lowest.items())
        ]
        judge_purses(self._unit, changes, self._now)
        return verdicts

    def _verdict(self, upload: Upload) -> Verdict:
        known = None
        if upload.seq <= self._terminal.high_seq:  # above it nothing was ever accepted
            known = self._unit.journals.entry(self._terminal.number, upload.seq)
        if known is not None and known.hash == upload.hash:
            return _standing(known, upload)
        if not upload.authentic:
            return self._quarantine(upload, upload.problem or "SIGNATURE_BAD")
        if known is not None:
            return self._fork(upload)
        if upload.seq != self._terminal.high_seq + 1:
            return self._quarantine(upload, "ENTRY_GAP")
        if upload.prev_hash != self._terminal.high_hash:
            return self._fork(upload)
        return self._accept(upload)

    def _accept(self, upload: Upload) -> Verdict:
        """The entry has its place in the chain, whatever it says."""
        row = EntryRow(
            terminal=self._terminal.number, seq=upload.seq, hash=upload.hash, type=upload.type,
            complete=upload.complete, wall_ms=upload.wall_ms, received_at=self._now,
            verdict="accepted", reason="",
        )  # fmt: skip
        problem = upload.problem or self._problem_of(upload, row)
        if problem:
            row.verdict, row.reason = "quarantined", problem
        self._unit.keep(row)
        self._terminal.high_seq, self._terminal.high_hash = upload.seq, upload.hash
        self._release(upload)
        if not upload.signed:
            self._alarm("SIGNATURE_DEFECT", upload)
        return _verdict_of(upload, Outcome.QUARANTINED if problem else Outcome.CREATED, problem)

    def _problem_of(self, upload: Upload, row: EntryRow) -> str:
        assert upload.entry is not None
        try:
            self._content.take(upload.entry, row)
        except EntryProblemError as problem:
            return problem.code
        return ""

    def _fork(self, upload: Upload) -> Verdict:
        """The terminal signed two histories: a person has to look at it."""
        self._alarm("JOURNAL_FORKED", upload)
        return self._quarantine(upload, "ENTRY_FORKED")

    def _quarantine(self, upload: Upload, reason: str) -> Verdict:
        """Kept as received, once, whatever it is."""
        if self._unit.journals.quarantined(self._terminal.number, upload.hash) is None:
            self._unit.keep(
                QuarantineRow(
                    terminal=self._terminal.number, seq=upload.seq or None, hash=upload.hash,
                    complete=upload.complete, reason=reason, received_at=self._now,
                )
            )  # fmt: skip
        return _verdict_of(upload, Outcome.QUARANTINED, reason)

    def _release(self, upload: Upload) -> None:
        """What came too early, or damaged on the way, is in its place now."""
        kept = self._unit.journals.quarantined(self._terminal.number, upload.hash)
        if kept is not None:
            kept.released_at = self._now

    def _alarm(self, code: str, upload: Upload) -> None:
        number = self._terminal.number
        ref = f"entry {number}:{upload.seq} {upload.hash.hex()[:16]}"
        raise_alarm(self._unit, code, ref, self._now, terminal=number, seq=upload.seq)


def _standing(known: EntryRow, upload: Upload) -> Verdict:
    if known.verdict == "quarantined":
        return _verdict_of(upload, Outcome.QUARANTINED, known.reason)
    return _verdict_of(upload, Outcome.EXISTS)


def _verdict_of(upload: Upload, outcome: Outcome, reason: str = "") -> Verdict:
    return Verdict(Seq(upload.seq), upload.hash, outcome, reason)
