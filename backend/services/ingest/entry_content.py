"""Takes in what an authentic entry says, or tells why it cannot be (PROTOCOL 6).

A problem is raised as :class:`EntryProblemError` before anything is stored: the entry is then
kept in quarantine with its code and counts as missing.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.journals import EntryRow, IntentLineRow, IntentRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.tables.verdicts import GrantSeenRow
from backend.adapters.unit_of_work import Unit
from backend.errors import BackendError, KeyStoreError
from backend.services.alarms import raise_alarm
from backend.services.keys.purse_keys import PurseKeyring
from backend.services.recovery.forgotten import adopt_purse, adopt_seen, may_have_forgotten
from backend.services.verdicts.card_records import learn_attested, learn_record
from cardlib.codec.purse import GRANT_CLEAR_SIZE, Info, Spend, SpendType
from cardlib.errors import AuthenticityError, CardlibError
from cardlib.keys.intent_rule import check_follows, planned_spend, record_hash
from cardlib.wire.batch_close import BatchClose
from cardlib.wire.entry import Entry, decode_entry
from cardlib.wire.entry_body import (
    AttestedRead,
    Committed,
    Declined,
    GrantSeen,
    Heartbeat,
    Intent,
    NotApplied,
    Proof,
    Unresolved,
)
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import PurseId


class EntryProblemError(BackendError):
    """The entry is authentic and in its place, but says what cannot be."""


@dataclass(slots=True)
class Touched:
    """Purses with new facts, and the lowest counter of these."""

    lowest: dict[int, int] = field(default_factory=dict)

    def add(self, purse: PurseRow, ctr: int) -> None:
        """New facts about ``purse`` at counter ``ctr``."""
        self.lowest[purse.id] = min(ctr, self.lowest.get(purse.id, ctr))


class EntryContent:
    """Takes in entries of one upload."""

    def __init__(
        self, unit: Unit, keyring: PurseKeyring, terminal: TerminalRow, touched: Touched, now: int
    ) -> None:
        self._unit = unit
        self._keyring = keyring
        self._terminal = terminal
        self._touched = touched
        self._now = now
        self._cores: dict[int, bytes] = {}
        """The INFO cores of this upload's intents, by their numbers."""

    def take(self, entry: Entry, row: EntryRow) -> None:
        """Stores what ``entry`` says, and on ``row`` what it is about; EntryProblemError."""
        if self._terminal.training:
            raise EntryProblemError("ENTRY_TRAINING")
        try:
            self._take(entry, row)
        except KeyStoreError as error:
            raise EntryProblemError("KEY_SET_UNKNOWN") from error
        except CardlibError as error:  # an INFO core that no purse of ours can have
            raise EntryProblemError(error.code) from error

    def _take(self, entry: Entry, row: EntryRow) -> None:
        match entry.body:
            case Intent() as intent:
                self._take_intent(entry, intent, row)
            case Committed() as committed:
                self._take_committed(committed, row)
            case NotApplied() | Unresolved() as closing:
                self._take_other_closing(closing, row)
            case Proof() as proof:
                self._take_proof(proof, row)
            case GrantSeen() as seen:
                self._take_grant_seen(seen, row)
            case Heartbeat() | BatchClose():
                self._take_heartbeat(row)
            case Declined():
                pass

    # --- intents --------------------------------------------------------------------------

    def _take_intent(self, entry: Entry, intent: Intent, row: EntryRow) -> None:
        info, purse = self._purse(intent.info_core, intent.newest_record)
        newest = self._keyring.open_spend(info, intent.newest_record)
        if newest is None:
            raise EntryProblemError("PREDECESSOR_UNREADABLE")
        spend = planned_spend(entry, intent)
        try:
            check_follows(intent, spend, newest, intent.newest_record)
        except AuthenticityError as error:
            raise EntryProblemError("INTENT_DOES_NOT_FOLLOW") from error
        if intent.voided is not None:
            self._check_void(intent, newest)
        record = self._keyring.seal_spend(info, spend)
        row.purse_id, row.ctr = purse.id, spend.ctr
        keys, hashes = self._keyring.store, intent.grant_hashes
        for unknown in adopt_seen(self._unit, keys, purse, hashes, self._now):
            self._alarm_on_grant(unknown)
        self._cores[row.seq] = intent.info_core
        self._unit.keep(
            IntentRow(
                terminal=row.terminal, seq=row.seq, hash=entry.hash, purse_id=purse.id,
                ctr=spend.ctr, record_hash=record_hash(record), voided_seq=intent.voided,
                state="open",
            ),
            *_line_rows(row, intent),
        )  # fmt: skip
        self._touched.add(purse, spend.ctr)  # its record may be proven already

    def _check_void(self, intent: Intent, newest: Spend) -> None:
        """A void takes back this terminal's newest sale, once, and no more than it took."""
        sale = self._unit.journals.intent(self._terminal.number, intent.voided or 0)
        own = (newest.terminal, newest.seq) == (self._terminal.number, intent.voided)
        if sale is None or not own or newest.type != SpendType.SALE:
            raise EntryProblemError("VOID_NOT_OF_NEWEST_SALE")
        taken: dict[int, int] = {}
        denied = sale.state == "not_applied"  # by its own word it took nothing
        for took in () if denied else self._unit.journals.intent_lines(sale.terminal, sale.seq):
            taken[took.slot] = taken.get(took.slot, 0) + took.cents
        for back in intent.lines:
            taken[back.slot] = taken.get(back.slot, 0) - back.cents
        if any(cents < 0 for cents in taken.values()):
            raise EntryProblemError("VOID_ABOVE_SALE")

    # --- closing entries --------------------------------------------------------------------

    def _take_committed(self, body: Committed, row: EntryRow) -> None:
        intent = self._open_intent(body.intent_seq)
        if intent.hash != body.intent_hash or intent.record_hash != record_hash(body.record):
            raise EntryProblemError("RECORD_NOT_OF_INTENT")
        if (body.type == EntryType.VOID) != (intent.voided_seq is not None) and (
            body.type != EntryType.RECOVERED
        ):
            raise EntryProblemError("CLOSING_OF_OTHER_KIND")
        info = self._info_of(intent)
        purse = self._unit.cards.purse_by_id(intent.purse_id)
        spend = self._keyring.open_spend(info, body.record)
        assert spend is not None  # it is the record that the checked intent announced
        read = AttestedRead(body.index, body.record, body.random, body.tc)
        ref = f"{row.terminal}:{row.seq}"
        self._unit.verdicts.expect_attestations_of("sale_entry", ref)
        if self._is_attested(purse, info, read):
            learn_attested(self._unit, purse, read, spend, "sale_entry", ref, self._now)
        else:
            learn_record(self._unit, purse, body.record, spend, self._now)
            self._check_oracle(purse, info, read, ref)
        self._close(intent, "committed", row)

    def _take_other_closing(self, body: NotApplied | Unresolved, row: EntryRow) -> None:
        intent = self._open_intent(body.intent_seq)
        if isinstance(body, Unresolved) and intent.state != "open":
            raise EntryProblemError("INTENT_CLOSED")
        self._close(intent, "not_applied" if isinstance(body, NotApplied) else "unresolved", row)

    def _open_intent(self, seq: int) -> IntentRow:
        """An intent that may still be closed; ``unresolved`` may become known."""
        intent = self._unit.journals.intent(self._terminal.number, seq)
        if intent is None:
            raise EntryProblemError("INTENT_MISSING")
        if intent.state not in {"open", "unresolved"}:
            raise EntryProblemError("INTENT_CLOSED")
        return intent

    def _close(self, intent: IntentRow, state: str, row: EntryRow) -> None:
        intent.state, intent.closing_seq = state, row.seq
        row.purse_id, row.ctr, row.intent_seq = intent.purse_id, intent.ctr, intent.seq
        self._touched.add(self._unit.cards.purse_by_id(intent.purse_id), intent.ctr)

    # --- the rest ---------------------------------------------------------------------------

    def _take_proof(self, body: Proof, row: EntryRow) -> None:
        info, purse = self._purse(body.info_core, *(read.record for read in body.reads))
        row.purse_id = purse.id
        ref = f"{row.terminal}:{row.seq}"
        self._unit.verdicts.expect_attestations_of("proof_entry", ref)
        for read in body.reads:
            spend = self._keyring.open_spend(info, read.record)
            if spend is not None and self._is_attested(purse, info, read):
                learn_attested(self._unit, purse, read, spend, "proof_entry", ref, self._now)
                self._touched.add(purse, spend.ctr)

    def _take_grant_seen(self, body: GrantSeen, row: EntryRow) -> None:
        grant, signature = body.grant[:GRANT_CLEAR_SIZE], body.grant[GRANT_CLEAR_SIZE:]
        digest = sha256(body.grant).digest()
        if self._unit.verdicts.grant_seen(digest) is not None:
            return
        known = self._unit.cards.find_grant_by_bytes(grant, signature)
        self._unit.add(
            GrantSeenRow(
                hash=digest, grant=body.grant, terminal=row.terminal, seq=row.seq,
                grant_id=known.id if known else None,
            )
        )  # fmt: skip
        if known is None and not may_have_forgotten(self._unit):
            self._alarm_on_grant(digest)

    def _alarm_on_grant(self, digest: bytes) -> None:
        ref = f"grant {digest.hex()[:16]}"
        raise_alarm(self._unit, "GRANT_NOT_OURS", ref, self._now, terminal=self._terminal.number)

    def _take_heartbeat(self, row: EntryRow) -> None:
        """Complete up to here, unless an intent before it is still open."""
        if not self._unit.journals.has_open_intent(self._terminal.number):
            mark = min(row.wall_ms // 1000, row.received_at)
            self._terminal.mark = max(self._terminal.mark, mark)
            self._terminal.mark_seq = row.seq

    def _is_attested(self, purse: PurseRow, info: Info, read: AttestedRead) -> bool:
        """Whether ``read`` proves its record. A legacy chip's certificate never does: its
        purse says so where *we* keep it, whatever EF.INFO an entry may carry."""
        able = Info.from_core(purse.info_core).attests
        return able and self._keyring.is_attested(info, read)

    def _check_oracle(self, purse: PurseRow, info: Info, read: AttestedRead, ref: str) -> None:
        """A certificate that a legacy chip has not made helps whoever decides the case."""
        legacy = not Info.from_core(purse.info_core).attests
        if legacy and read.tc is not None and not self._keyring.is_of_oracle(info, read):
            raise_alarm(
                self._unit, "ORACLE_BAD", f"entry {ref}", self._now,
                purse=purse, terminal=self._terminal.number,
            )  # fmt: skip

    def _purse(self, info_core: bytes, *records: bytes) -> tuple[Info, PurseRow]:
        """The purse of an INFO core; a forgotten one only with a record under its own keys."""
        info = Info.from_core(info_core)
        purse = self._unit.cards.find_purse(PurseId(info.issuer, info.purse))
        if purse is None and any(self._keyring.open_spend(info, record) for record in records):
            purse = adopt_purse(self._unit, info, self._now)
        if purse is None:
            raise EntryProblemError("PURSE_UNKNOWN")
        return info, purse

    def _info_of(self, intent: IntentRow) -> Info:
        if intent.seq not in self._cores:
            announced = self._unit.journals.entry(intent.terminal, intent.seq)
            assert announced is not None
            body = decode_entry(announced.complete).body
            assert isinstance(body, Intent)
            self._cores[intent.seq] = body.info_core
        return Info.from_core(self._cores[intent.seq])


def _line_rows(row: EntryRow, intent: Intent) -> list[IntentLineRow]:
    slots = sorted({line.slot for line in intent.lines})
    hashes = dict(zip(slots, intent.grant_hashes, strict=True))
    return [
        IntentLineRow(
            terminal=row.terminal, seq=row.seq, ordinal=ordinal, slot=line.slot,
            grant_seq=line.grant_seq, grant_hash=hashes[line.slot], category=line.category,
            cents=line.cents,
        )
        for ordinal, line in enumerate(intent.lines)
    ]  # fmt: skip
