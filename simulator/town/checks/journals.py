"""Laws 4, 5, 8, 10 and 12 in the tills: every new durable entry, against the cards themselves.

A journal is gapless, chained and signed. An intent names the record that the card truly held
and grants that lay on it. What closes it is the truth: *sale*, *recovered* and *void* only when
the chip has written exactly that record, *not_applied* only when it has not. One intent is
open at a time, and a purse that waits is not served.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cardlib.codec.purse import Info
from cardlib.wire.ids import PurseId
from simulator.errors import TownError
from simulator.town.checks import entries
from simulator.town.checks.cards import CardWatch, PurseTruth, Written
from simulator.town.checks.declared import Declared
from simulator.town.checks.entries import SeenEntry, Signer, read_entry
from simulator.town.checks.evidence import TillSeen, breach
from simulator.town.checks.limits import LimitWatch
from simulator.town.checks.names import NameWatch
from simulator.town.checks.words import WordWatch, check_worded

_TEXT_KEYS = {10: 40, 16: 12, 54: 12, 56: 40, 58: 40}
"""Where an entry may carry text, and how much of it."""
_IMPOSSIBLE = frozenset(
    {"RECOVERY_OVERWRITTEN", "RECOVERY_FORKED", "RECOVERY_ROLLED_BACK", "RECOVERY_NO_RECORD"}
)
"""What no till can find on an honest card."""
_NOT_APPLIED_WORDS = frozenset({"not_sent", "read", "declined", "too_late"})


@dataclass(slots=True)
class SeenIntent:
    """An intent: whose purse, which record it announced, and what closed it."""

    seq: int
    hash: bytes
    purse: PurseId
    ctr: int
    totals: tuple[int, ...]
    cents: int
    """By lines; a void's are below zero."""
    core: bytes
    """INFO, as the till read it."""
    state: str = "open"
    closed_by: int = 0
    """The first entry that said what became of it, be it that nobody knows."""


@dataclass(frozen=True, slots=True)
class SeenRead:
    """A record as a chip gave it with a certificate, in entry ``seq``."""

    seq: int
    core: bytes
    index: int
    record: bytes
    random: bytes
    tc: bytes
    ctr: int | None = None
    """Its counter, where the till itself had it written."""


@dataclass(slots=True)
class SeenJournal:
    """A till's journal as far as it was read; ``hashes`` of the complete bytes, in order."""

    till: TillSeen
    signer: Signer
    seq: int = 0
    head: bytes = b""
    intents: dict[int, SeenIntent] = field(default_factory=dict)
    open: int | None = None
    parked: dict[PurseId, set[int]] = field(default_factory=dict)
    hashes: list[bytes] = field(default_factory=list)
    reads: list[SeenRead] = field(default_factory=list)
    """What chips attested there."""
    beats: list[tuple[int, int]] = field(default_factory=list)
    """Number and wall time in ms of heartbeats and Zs before which nothing was open."""
    heartbeats: dict[int, tuple[int, bool]] = field(default_factory=dict)
    """Wall time in ms, and whether an intent was open, by number; of Zs and sales too."""


class JournalWatch:
    """Every till's journal."""

    def __init__(self, cards: CardWatch, declared: Declared) -> None:
        self._cards = cards
        self._purses = cards.purses
        self._declared = declared
        self._restored: set[int] = set()
        self._words = WordWatch(declared)
        self._names = NameWatch(declared)
        self._limits = LimitWatch(declared)
        self.journals: dict[int, SeenJournal] = {}
        self.former: dict[bytes, SeenIntent] = {}
        """Intents of journals that were put back to an older state, by the start of the hash."""

    def look(self, tills: Sequence[TillSeen], touched: Collection[int] | None) -> None:
        """Reads what was written since; ``touched``: terminals that may have, None for all."""
        self._forget_restored()
        self._words.check()
        for till in tills:
            number = till.terminal
            if touched is not None and number not in touched and number in self.journals:
                continue
            journal = self.journals.get(number) or self._begin(till)
            journal.till = till
            for complete in till.entries(journal.seq):
                self._take(journal, complete)

    def explain(self, written: Written, purse: PurseId) -> None:
        """TownError unless an intent of an honest till announced what a chip has written."""
        spend = written.spend
        journal = self.journals.get(spend.terminal)
        if spend.terminal == 0 or spend.terminal in self._declared.rogue_terminals:
            return
        found = journal.intents.get(spend.seq) if journal else None
        if found is None or found.hash[:8] != spend.intent_hash:
            found = self.former.get(spend.intent_hash)
        place = f"{spend.terminal}:{spend.seq}"
        if found is None or found.hash[:8] != spend.intent_hash:
            raise _of_card(purse, f"record {spend.ctr}: no durable intent {place}", written.cents)
        if (found.purse, found.ctr, found.totals) != (purse, spend.ctr, spend.spent):
            raise _of_card(purse, f"record {spend.ctr} is not that of {place}", written.cents)

    def _begin(self, till: TillSeen) -> SeenJournal:
        journal = SeenJournal(till, Signer(till.public_key), head=till.certificate_hash)
        self.journals[till.terminal] = journal
        return journal

    def _forget_restored(self) -> None:
        for terminal in self._declared.restored_journals - self._restored:
            journal = self.journals.pop(terminal, None)
            if journal is not None:
                self.former.update({one.hash[:8]: one for one in journal.intents.values()})
        self._restored |= self._declared.restored_journals

    # one entry --------------------------------------------------------------------------------

    def _take(self, journal: SeenJournal, complete: bytes) -> None:
        place = f"{journal.till.terminal}:{journal.seq + 1}"
        try:
            entry = read_entry(complete)
        except ValueError as error:
            raise _of_journal(place, str(error)) from error
        self._check_chain(journal, entry, place)
        _check_texts(entry, place)
        self._names.check(complete, place)
        if journal.till.terminal not in self._declared.rogue_terminals:
            self._check_body(journal, entry, place)
        journal.seq, journal.head = entry.seq, entry.hash
        journal.hashes.append(entry.hash)
        journal.heartbeats[entry.seq] = entry.wall_ms, journal.open is not None

    def _check_chain(self, journal: SeenJournal, entry: SeenEntry, place: str) -> None:
        if entry.seq != journal.seq + 1 or entry.fields[3] != journal.till.terminal:
            raise _of_journal(place, f"it says {entry.fields[3]}:{entry.seq}")
        if entry.fields.get(5) != journal.head:
            raise _of_journal(place, "it does not name the one before")
        if not journal.signer.signed(entry):
            raise _of_journal(place, "its signature is bad")

    def _check_body(self, journal: SeenJournal, entry: SeenEntry, place: str) -> None:
        if entry.type == entries.INTENT:
            self._open(journal, entry, place)
        elif entry.type in entries.CLOSING | {entries.UNRESOLVED}:
            self._close(journal, entry, place)
        elif entry.type == entries.DECLINED:
            check_worded(str(entry.fields.get(56, "")), place)
        elif entry.type == entries.PROOF:
            core, given = entry.fields[32], entry.fields[59]
            journal.reads += [SeenRead(entry.seq, core, *read) for read in given if read[3]]
        elif entry.type in entries.BEATS and journal.open is None:
            journal.beats.append((entry.seq, entry.wall_ms))

    # intents ----------------------------------------------------------------------------------

    def _open(self, journal: SeenJournal, entry: SeenEntry, place: str) -> None:
        intent = _intent(entry)
        if journal.open is not None:
            raise _guessed(place, f"intent {journal.open} is still open")
        if journal.parked.get(intent.purse):
            raise _guessed(place, f"purse {intent.purse} waits to be settled")
        journal.intents[entry.seq], journal.open = intent, entry.seq
        truth = self._purses.get(intent.purse)
        if truth is not None and intent.purse not in self._declared.rogue_purses:
            self._check_predecessor(entry, intent, truth, place)
            _check_grants(entry, truth, place)
            if entry.hash[:8] not in self.former:  # what is read again was judged in its time
                self._limits.check(journal.till, entry, truth, place)

    def _check_predecessor(
        self, entry: SeenEntry, intent: SeenIntent, truth: PurseTruth, place: str
    ) -> None:
        """It follows what was the newest record: the card's own, and no older one."""
        before, other = truth.chain.get(intent.ctr - 1), truth.chain.get(intent.ctr)
        ours = other is not None and other.spend.intent_hash == intent.hash[:8]
        taken = other is not None and not ours and other.look < self._cards.looks
        taken = taken and entry.fields[3] not in self._restored  # its entries are read again
        if before is None or before.record != entry.fields[33] or taken:
            what = f"it follows a record {intent.ctr - 1} that is not the newest of the card"
            raise breach("TOWN_PROOF_UNCHECKED", 12, place, what, intent.cents)

    def _close(self, journal: SeenJournal, entry: SeenEntry, place: str) -> None:
        intent = journal.intents.get(entry.fields[48])
        parked = entry.type == entries.UNRESOLVED
        allowed = {"open"} if parked else {"open", "unresolved"}
        if intent is None or intent.state not in allowed:
            state = intent.state if intent else "missing"
            raise breach("TOWN_BOOKED_TWICE", 6, place, f"it closes an intent that is {state}")
        intent.closed_by = intent.closed_by or entry.seq
        honest = intent.purse not in self._declared.rogue_purses
        if honest:
            self._check_outcome(intent, entry, place)
        waiting = journal.parked.setdefault(intent.purse, set())
        if parked:
            intent.state = "unresolved"
            waiting.add(intent.seq)
        else:
            intent.state = "not_applied" if entry.type == entries.NOT_APPLIED else "committed"
            waiting.discard(intent.seq)
        if journal.open == intent.seq:
            journal.open = None
        if entry.type in entries.COMMITTED and entry.fields[52] is not None:
            index, record, random, tc = (entry.fields[key] for key in (53, 50, 51, 52))
            journal.reads.append(
                SeenRead(entry.seq, intent.core, index, record, random, tc, intent.ctr)
            )

    def _check_outcome(self, intent: SeenIntent, entry: SeenEntry, place: str) -> None:
        truth = self._purses.get(intent.purse)
        written = truth.chain.get(intent.ctr) if truth else None
        is_ours = written is not None and written.spend.intent_hash == intent.hash[:8]
        if entry.type in entries.COMMITTED:
            if written is None or not is_ours or written.record != entry.fields[50]:
                raise _guessed(place, f"the card never wrote the record of intent {intent.seq}")
            if entry.fields.get(49) != intent.hash:
                raise _of_journal(place, f"it names another intent than {intent.seq}")
        elif entry.type == entries.NOT_APPLIED:
            if is_ours or entry.fields.get(56) not in _NOT_APPLIED_WORDS:
                raise _guessed(place, f"the card did write the record of intent {intent.seq}")
        else:
            check_worded(str(entry.fields.get(58, "")), place)
            if entry.fields.get(58) in _IMPOSSIBLE:
                raise _guessed(place, f"{entry.fields[58]} on an honest card")


def _intent(entry: SeenEntry) -> SeenIntent:
    info = Info.from_core(entry.fields[32])
    ctr, totals, *_, kind = entry.fields[35]
    sign = -1 if kind == 2 else 1
    cents = sign * sum(line[3] for line in entry.fields[36])
    purse = PurseId(info.issuer, info.purse)
    return SeenIntent(entry.seq, entry.hash, purse, ctr, tuple(totals), cents, entry.fields[32])


def _check_grants(entry: SeenEntry, truth: PurseTruth, place: str) -> None:
    lines: list[list[Any]] = entry.fields[36]
    hashes = dict(zip(sorted({line[0] for line in lines}), entry.fields[37], strict=False))
    totals = entry.fields[35][1]
    for slot, grant_seq, _category, cents in lines:
        signed = truth.ever.get(grant_seq)
        if signed is None or sha256(bytes(signed)).digest() != hashes.get(slot):
            what = f"it spends from grant {grant_seq}, which the card never held"
            raise breach("TOWN_GRANT_UNORDERED", 3, place, what, cents)
        above = totals[slot - 1] - signed.grant.granted_total
        if above > 0:
            what = f"it spends more than grant {grant_seq} gave"
            raise breach("TOWN_GRANT_UNORDERED", 3, place, what, above)


def _check_texts(entry: SeenEntry, place: str) -> None:
    """Law 8: a number for the cashier, a version, codes; nothing that could be a name."""
    for key, value in entry.fields.items():
        if not isinstance(value, str):
            continue
        spaced = key != 10 and not value.isdigit() and not value.replace("_", "").isalnum()
        named = key == 16 and value != "" and not value.isdigit()
        if len(value) > _TEXT_KEYS.get(key, 0) or named or (spaced and value != ""):
            raise breach("TOWN_NAME_WRITTEN", 8, place, f"text in key {key}: {value!r}")


def _of_journal(place: str, what: str) -> TownError:
    return breach("TOWN_JOURNAL_BROKEN", 5, place, what)


def _guessed(place: str, what: str) -> TownError:
    return breach("TOWN_UNKNOWN_GUESSED", 4, place, what)


def _of_card(purse: PurseId, what: str, cents: int) -> TownError:
    return breach("TOWN_CARD_UNEXPLAINED", 2, purse, what, cents)
