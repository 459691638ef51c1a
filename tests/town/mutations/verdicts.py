"""Defects in what the backend believes: laws 2, 9 and 12."""

from collections.abc import Callable
from typing import Any

from backend.adapters.tables.verdicts import CardRecordRow
from backend.domain import verdicts
from backend.services.ingest import entry_content
from backend.services.ingest.entry_content import EntryContent
from backend.services.verdicts import judgement
from tests.town.mutations.defect import Defect, Site

Note = Callable[[], None]


# law 2: proofs ------------------------------------------------------------------------------


def _tc_unchecked(real: Any, note: Note) -> Any:
    def defective(self: EntryContent, purse: Any, info: Any, read: Any) -> bool:
        if read.tc is None:
            return False
        if not real(self, purse, info, read):
            note()
        return True

    return defective


def _claims_proven(real: Any, note: Note) -> Any:
    def defective(by_ctr: Any) -> set[bytes]:
        proven: set[bytes] = real(by_ctr)
        claimed = {fact.hash for same in by_ctr.values() for fact in same if fact.claimed}
        if claimed - proven:
            note()
        return proven | claimed

    return defective


def _own_word(_real: Any, note: Note) -> Any:
    """A later sale at the same shop vouches for the one before."""

    def defective(state: Any, by_ctr: Any) -> Any:
        above = state
        while (below := verdicts._linked(above, by_ctr)) is not None:
            if below.claimed and not below.attested:
                note()
                yield below
            above = below

    return defective


PROOFS = (
    Defect(
        name="tc-unchecked", law=2,
        does="a transaction certificate is believed unseen",
        sites=(Site(EntryContent, "_is_attested", _tc_unchecked),), town="rogues",
    ),
    Defect(
        name="claims-proven", law=2,
        does="what a till claims counts as proven by the card",
        sites=(Site(verdicts, "_proven", _claims_proven),),
    ),
    Defect(
        name="own-word", law=2,
        does="a shop's own later sale proves its earlier one",
        sites=(Site(verdicts, "_implied_by", _own_word),),
    ),
)  # fmt: skip


# law 9: marks -------------------------------------------------------------------------------


def _open_passed(_real: Any, note: Note) -> Any:
    def defective(self: EntryContent, row: Any) -> None:
        if self._unit.journals.has_open_intent(self._terminal.number):
            note()
        self._terminal.mark = max(self._terminal.mark, min(row.wall_ms // 1000, row.received_at))
        self._terminal.mark_seq = row.seq

    return defective


def _wall_alone(real: Any, note: Note) -> Any:
    def defective(self: EntryContent, row: Any) -> None:
        real(self, row)
        if self._terminal.mark_seq == row.seq and row.wall_ms // 1000 > self._terminal.mark:
            note()
            self._terminal.mark = row.wall_ms // 1000

    return defective


def _gaps_passed(real: Any, note: Note) -> Any:
    def defective(found: Any, base: Any) -> int:
        judgements = list(found)
        mark = int(real(judgements, base))
        top = max((one.fact.ctr for one in judgements if one.live), default=mark)
        if top > mark:
            note()
        return max(top, mark)

    return defective


MARKS = (
    Defect(
        name="open-passed", law=9,
        does="a till counts as complete though one of its sales is open",
        sites=(Site(EntryContent, "_take_heartbeat", _open_passed),),
        town="boards",
    ),
    Defect(
        name="wall-alone", law=9,
        does="a till counts as complete up to whatever its clock says",
        sites=(Site(EntryContent, "_take_heartbeat", _wall_alone),),
        town="restored",
    ),
    Defect(
        name="gaps-passed", law=9,
        does="a purse counts as posted up to its newest record, gaps or not",
        sites=(Site(verdicts, "_card_mark", _gaps_passed),),
    ),
)  # fmt: skip


# law 12: nothing from what is unsigned ----------------------------------------------------------


def _echo_attests(real: Any, note: Note) -> Any:
    def defective(unit: Any, purse: Any, record: bytes, spend: Any, now: int) -> CardRecordRow:
        row: CardRecordRow = real(unit, purse, record, spend, now)
        if not row.attested:
            note()
            row.attested = True
        return row

    return defective


def _claim_moves_mark(real: Any, note: Note) -> Any:
    def defective(purse: Any, facts: Any, verdict: Any) -> None:
        real(purse, facts, verdict)
        live = [one.fact for one in verdict.judgements if one.live]
        if live and live[-1].ctr > purse.proven_ctr:
            note()
            purse.proven_ctr, purse.proven_hash = live[-1].ctr, live[-1].hash

    return defective


UNSIGNED = (
    Defect(
        name="claim-moves-mark", law=12,
        does="a purse's watermark moves with what a till only claims",
        sites=(Site(judgement, "_keep_marks", _claim_moves_mark),),
    ),
    Defect(
        name="echo-attests", law=12,
        does="a record that a till only repeats counts as attested",
        sites=(Site(entry_content, "learn_record", _echo_attests),),
    ),
)  # fmt: skip

VERDICTS = (*PROOFS, *MARKS, *UNSIGNED)
