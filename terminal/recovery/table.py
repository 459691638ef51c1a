"""The read table of PROTOCOL 5: what a fresh read says about an open intent. Pure.

Rows are tried in order; the first that fits concludes. Torn and empty records
above the newest valid one are skipped and counted; identical neighbours count
once. *Absent* means: from the newest record down to the first one with a lower
counter (or to #20) everything was read with a good MAC and links by counter and
prev. An error word is no answer: then there is no evidence at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from cardlib.codec.files import EF_SPEND
from cardlib.codec.purse import Spend
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from cardlib.keys.module import SpendReading
from cardlib.wire.ids import PurseId

RING_END = EF_SPEND.records
"""Number of the oldest record."""


class Verdict(StrEnum):
    """What is now known about the debit."""

    NOTHING = "nothing"
    """No evidence: ask again."""
    WRONG_CARD = "wrong_card"
    """Another purse: the intent stays open."""
    COMMITTED = "committed"
    """The card was debited."""
    NOT_APPLIED = "not_applied"
    """The card was not debited."""
    UNRESOLVED = "unresolved"
    """This card cannot tell; the backend decides."""


@dataclass(frozen=True, slots=True)
class Question:
    """The open intent: purse, counter, intent hash, its record, and the record before it."""

    purse: PurseId
    ctr: int
    hash: bytes
    record: bytes
    prior: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """Readings with good MACs from #1 downwards, of the purse that was read.

    ``info_core``: what the card says of itself now, unverified.
    """

    purse: PurseId
    readings: tuple[SpendReading, ...]
    info_core: bytes = b""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a row says. ``attest`` are the record numbers to be attested.

    ``newest`` is the newest valid record; ``torn`` how many lay above it;
    ``retry`` whether the same debit may be sent again on this state.
    """

    verdict: Verdict
    code: str
    attest: tuple[int, ...] = ()
    newest: bytes | None = None
    torn: int = 0
    retry: bool = False


@dataclass(frozen=True, slots=True)
class _Record:
    index: int
    raw: bytes
    spend: Spend


@dataclass(frozen=True, slots=True)
class _Ring:
    """Evidence and question, prepared for the rows."""

    question: Question
    records: tuple[_Record, ...]
    reached_bottom: bool

    @property
    def top(self) -> _Record | None:
        return self.records[0] if self.records else None

    @property
    def own(self) -> tuple[_Record, ...]:
        """Records that carry the intent's hash."""
        return tuple(item for item in self.records if item.spend.intent_hash == self.question.hash)

    @property
    def at_ctr(self) -> tuple[_Record, ...]:
        """Records with the intent's counter."""
        return tuple(item for item in self.records if item.spend.ctr == self.question.ctr)

    @property
    def links(self) -> bool:
        return self.reached_bottom and all(
            newer.spend.ctr == older.spend.ctr + 1
            and newer.spend.prev == record_hash(older.raw)[:PREV_SIZE]
            for newer, older in pairwise(self.records)
        )


def conclude(question: Question, evidence: Evidence | None) -> Conclusion:
    """The first row that fits. ``evidence`` is None when no answer had a valid MAC."""
    if evidence is None:
        return _told("no_answer", Conclusion(Verdict.NOTHING, "RECOVERY_NO_ANSWER"))
    if evidence.purse != question.purse:
        return _told("wrong_card", Conclusion(Verdict.WRONG_CARD, "RECOVERY_WRONG_CARD"))
    ring = _prepare(question, evidence.readings)
    for row in _ROWS:
        conclusion = row(ring)
        if conclusion is not None:
            return _told(_name(row), _completed(conclusion, ring))
    raise AssertionError("the table is complete")  # pragma: no cover


def _overwritten(ring: _Ring) -> Conclusion | None:
    for own in ring.own:
        for other in ring.at_ctr:
            if other.index < own.index and other.raw != own.raw:
                return _unresolved("RECOVERY_OVERWRITTEN", other.index, own.index)
    return None


def _newest_is_ours(ring: _Ring) -> Conclusion | None:
    if ring.top and ring.top.raw == ring.question.record:
        return Conclusion(Verdict.COMMITTED, "RECOVERY_COMMITTED", (ring.top.index,))
    return None


def _hash_over_other_bytes(ring: _Ring) -> Conclusion | None:
    if any(own.raw != ring.question.record for own in ring.own):
        return _unresolved("RECOVERY_FORKED")
    return None


def _unchanged(ring: _Ring) -> Conclusion | None:
    if ring.top and ring.top.raw == ring.question.prior:
        return Conclusion(Verdict.NOT_APPLIED, "RECOVERY_NOT_APPLIED", retry=True)
    return None


def _committed_earlier(ring: _Ring) -> Conclusion | None:
    own = [item for item in ring.own if item.spend.ctr == ring.question.ctr]
    if own and ring.top and ring.top.spend.ctr >= ring.question.ctr:
        return Conclusion(Verdict.COMMITTED, "RECOVERY_COMMITTED", (own[0].index,))
    return None


def _place_taken(ring: _Ring) -> Conclusion | None:
    if ring.at_ctr and not ring.own and ring.links:
        return Conclusion(Verdict.NOT_APPLIED, "RECOVERY_NOT_APPLIED")
    return None


def _not_linked(ring: _Ring) -> Conclusion | None:
    return _unresolved("RECOVERY_NOT_LINKED") if ring.at_ctr else None


def _rolled_out(ring: _Ring) -> Conclusion | None:
    if ring.top and ring.top.spend.ctr > ring.question.ctr:
        return _unresolved("RECOVERY_ROLLED_OUT")
    return None


def _rolled_back(ring: _Ring) -> Conclusion | None:
    return _unresolved("RECOVERY_ROLLED_BACK") if ring.top else None


def _no_record(_ring: _Ring) -> Conclusion | None:
    return _unresolved("RECOVERY_NO_RECORD")


_ROWS: tuple[Callable[[_Ring], Conclusion | None], ...] = (
    _overwritten,
    _newest_is_ours,
    _hash_over_other_bytes,
    _unchanged,
    _committed_earlier,
    _place_taken,
    _not_linked,
    _rolled_out,
    _rolled_back,
    _no_record,
)
"""In the order of PROTOCOL 5, after *no answer* and *another purse*."""


def _name(row: Callable[[_Ring], Conclusion | None]) -> str:
    return row.__name__.removeprefix("_")


ROW_NAMES = ("no_answer", "wrong_card", *map(_name, _ROWS))
"""Every row, in its order."""
OBSERVERS: list[Callable[[str], None]] = []
"""Who is told which row concluded: the simulated town, which counts them; nobody in a shop."""


def _told(row: str, conclusion: Conclusion) -> Conclusion:
    for observer in OBSERVERS:
        observer(row)
    return conclusion


def _unresolved(code: str, *attest: int) -> Conclusion:
    return Conclusion(Verdict.UNRESOLVED, code, attest)


def _prepare(question: Question, readings: tuple[SpendReading, ...]) -> _Ring:
    records: list[_Record] = []
    for reading in readings:
        spend = reading.spend
        if spend is not None and not (records and records[-1].raw == reading.record):
            records.append(_Record(reading.index, reading.record, spend))
    bottom = bool(records) and records[-1].spend.ctr < question.ctr
    return _Ring(question, tuple(records), bottom or len(readings) == RING_END)


def _completed(conclusion: Conclusion, ring: _Ring) -> Conclusion:
    top = ring.top
    return Conclusion(
        conclusion.verdict,
        conclusion.code,
        conclusion.attest,
        None if top is None else top.raw,
        0 if top is None else top.index - 1,
        conclusion.retry,
    )
