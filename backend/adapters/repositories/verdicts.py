"""Records of cards, attestations, postings, cases, alarms, proof requests."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from backend.adapters.repositories.parts import PART, in_parts
from backend.adapters.repositories.seen import Seen
from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.journals import UNRESOLVED, IntentRow
from backend.adapters.tables.programmes import MunicipalityRow
from backend.adapters.tables.settlement import BatchLineRow, SettlementBatchRow
from backend.adapters.tables.terminals import TerminalRow
from backend.adapters.tables.verdicts import (
    UNSETTLED,
    AlarmRow,
    AttestationRow,
    CardRecordRow,
    CaseRow,
    GrantSeenRow,
    PostingPartRow,
    PostingRow,
    ProofRequestRow,
)
from backend.domain.cases import Decision
from backend.domain.people import SYSTEM
from backend.domain.settlement import LineState
from backend.domain.states import CaseState
from backend.domain.verdicts import RING_SIZE, PostingState
from cardlib.keys.intent_rule import intent_hash_in
from cardlib.wire.entry import INTENT_HASH_SIZE
from cardlib.wire.ids import PurseId

TOLD_MAX = 16
"""Outcomes that a till is told at once; the next ones when it has written these."""
_OWN = aliased(CardRecordRow)
_FORKED = (
    select(_OWN.id)
    .where(_OWN.purse_id == IntentRow.purse_id, _OWN.ctr == IntentRow.ctr, _OWN.proven)
    .where(_OWN.record_hash == IntentRow.record_hash, _OWN.live.is_(False))
)
_DECIDED = (
    select(
        IntentRow.terminal, IntentRow.seq, IntentRow.hash, IntentRow.record_hash,
        CardRecordRow.record, CardRecordRow.record_hash,
    )
    .join(
        CardRecordRow,
        (CardRecordRow.purse_id == IntentRow.purse_id) & (CardRecordRow.ctr == IntentRow.ctr),
    )
    .join(TerminalRow, TerminalRow.number == IntentRow.terminal)
    .where(UNRESOLVED, CardRecordRow.live, CardRecordRow.proven)
    .where(TerminalRow.lost_at.is_(None), ~_FORKED.exists())
    .join(PurseRow, PurseRow.id == IntentRow.purse_id)
    .where(
        (CardRecordRow.record_hash == IntentRow.record_hash)
        | (PurseRow.proven_ctr >= IntentRow.ctr + RING_SIZE)
    )
    .order_by(IntentRow.terminal, IntentRow.seq)
)  # fmt: skip
_PROOF_REQUESTS = select(ProofRequestRow).order_by(ProofRequestRow.purse_id, ProofRequestRow.ctr)


class Posted(NamedTuple):
    """What names a posting to people, without the rest of it."""

    id: int
    terminal: int
    intent_seq: int
    closing_seq: int | None
    event_time: int
    purse_id: int
    ctr: int
    record_hash: bytes


class Attested(NamedTuple):
    """An attestation, with the clear content of its record where that is known."""

    row: AttestationRow
    clear: bytes | None


class Verdicts:
    """What the backend concluded about purses."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._records = Seen[tuple[int, int, bytes], CardRecordRow](
            session, lambda row: (row.purse_id, row.ctr, row.record_hash)
        )
        self._places: set[tuple[int, int]] = set()
        self._attestations = Seen[tuple[str, str, bytes], AttestationRow](
            session, lambda row: (row.source, row.source_ref, row.record_hash)
        )
        self._sources: set[tuple[str, str]] = set()
        """Of which every stored attestation is at hand."""
        self._cases: dict[int, CaseRow] = {}
        self._grants_seen = Seen[bytes, GrantSeenRow](session, lambda row: row.hash)

    def note(self, row: object) -> None:
        """``row`` is being stored by this unit."""
        match row:
            case CardRecordRow():
                self._records.note(row)
            case AttestationRow():
                self._attestations.note(row)
            case GrantSeenRow():
                self._grants_seen.note(row)

    def fetch_records(self, places: Iterable[tuple[int, int]]) -> None:
        """Looks up every record of these purses and counters, in one go."""
        missing = [place for place in dict.fromkeys(places) if place not in self._places]
        if not missing:
            return
        self._places.update(missing)
        where = tuple_(CardRecordRow.purse_id, CardRecordRow.ctr).in_(missing)
        for row in self._session.scalars(select(CardRecordRow).where(where)):
            self._records.note(row)

    def expect_attestations_of(self, source: str, source_ref: str) -> None:
        """The caller knows that nothing is stored yet from this source."""
        self._sources.add((source, source_ref))

    def fetch_attestations(self, source: str, source_ref: str) -> None:
        """Looks up every attested read from one source, in one go."""
        if (source, source_ref) in self._sources:
            return
        self._sources.add((source, source_ref))
        for row in self._session.scalars(
            select(AttestationRow).where(
                AttestationRow.source == source, AttestationRow.source_ref == source_ref
            )
        ):
            self._attestations.note(row)

    def record(self, purse_id: int, ctr: int, record_hash: bytes) -> CardRecordRow | None:
        """One record."""
        looked_up = (purse_id, ctr) in self._places
        return self._records.find(
            (purse_id, ctr, record_hash),
            lambda: None if looked_up else self._session.scalar(
                select(CardRecordRow).where(
                    CardRecordRow.purse_id == purse_id,
                    CardRecordRow.ctr == ctr,
                    CardRecordRow.record_hash == record_hash,
                )
            ),
        )  # fmt: skip

    def records_from(self, starts: Mapping[int, int]) -> Sequence[CardRecordRow]:
        """Records of purses, each from a counter of its own on, as :meth:`records`."""
        return self._session.scalars(_records_from(_size(starts)), _start_values(starts)).all()

    def postings_from(self, starts: Mapping[int, int]) -> Sequence[PostingRow]:
        """Postings of purses, each from a counter of its own on, as :meth:`postings`."""
        return self._session.scalars(_postings_from(_size(starts)), _start_values(starts)).all()

    def records(self, purse_id: int, from_ctr: int = 0) -> Sequence[CardRecordRow]:
        """Records of a purse from counter ``from_ctr`` on, by counter, then arrival."""
        return self._session.scalars(
            select(CardRecordRow)
            .where(CardRecordRow.purse_id == purse_id, CardRecordRow.ctr >= from_ctr)
            .order_by(CardRecordRow.ctr, CardRecordRow.id)
        ).all()

    def attestation(self, source: str, source_ref: str, digest: bytes) -> AttestationRow | None:
        """One attested read, by where it came from."""
        looked_up = (source, source_ref) in self._sources
        return self._attestations.find(
            (source, source_ref, digest),
            lambda: None if looked_up else self._session.scalar(
                select(AttestationRow).where(
                    AttestationRow.source == source,
                    AttestationRow.source_ref == source_ref,
                    AttestationRow.record_hash == digest,
                )
            ),
        )  # fmt: skip

    def attestations(self) -> Iterator[Attested]:
        """All, oldest first, a part at a time."""
        same = (
            (CardRecordRow.purse_id == AttestationRow.purse_id)
            & (CardRecordRow.ctr == AttestationRow.ctr)
            & (CardRecordRow.record_hash == AttestationRow.record_hash)
        )
        found = self._session.execute(
            select(AttestationRow, CardRecordRow.clear)
            .join(CardRecordRow, same, isouter=True)
            .order_by(AttestationRow.id)
            .execution_options(yield_per=PART)
        )
        return (Attested(row, clear) for row, clear in found)

    def postings(self, purse_id: int, from_ctr: int = 0) -> Sequence[PostingRow]:
        """Postings of a purse from counter ``from_ctr`` on, by counter."""
        return self._session.scalars(
            select(PostingRow)
            .where(PostingRow.purse_id == purse_id, PostingRow.ctr >= from_ctr)
            .order_by(PostingRow.ctr, PostingRow.id)
        ).all()

    def posted_by_slot(self, purse_id: int) -> dict[int, int]:
        """Cents that the live postings of a purse took in all, by slot, voids taken off."""
        rows = self._session.execute(
            select(PostingPartRow.slot, func.sum(PostingPartRow.cents))
            .join(PostingRow, PostingRow.id == PostingPartRow.posting_id)
            .where(PostingRow.purse_id == purse_id, PostingRow.live)
            .group_by(PostingPartRow.slot)
        )
        return {slot: int(cents) for slot, cents in rows}

    def voids_without_effect(self, purse_id: int, reasons: Collection[str]) -> list[int]:
        """Counters of the live voids that a purse's card proves and that gave its wallet nothing.

        They wait for one of ``reasons``, or people have left the money with the shop.
        """
        return list(
            self._session.scalars(
                select(PostingRow.ctr)
                .outerjoin(CaseRow, CaseRow.id == PostingRow.case_id)
                .where(PostingRow.purse_id == purse_id, PostingRow.live, PostingRow.is_void)
                .where(PostingRow.state == PostingState.PROVEN)
                .where(PostingRow.reason.in_(reasons) | (CaseRow.decision == Decision.PAY))
                .order_by(PostingRow.ctr)
            )
        )

    def posting(self, posting_id: int) -> PostingRow:
        """By id."""
        return self._session.get_one(PostingRow, posting_id)

    def posted(self, posting_ids: Iterable[int]) -> dict[int, Posted]:
        """What names these postings, by id."""
        names = [getattr(PostingRow, name) for name in Posted._fields]
        found: dict[int, Posted] = {}
        for part in in_parts(posting_ids):
            rows = self._session.execute(select(*names).where(PostingRow.id.in_(part)))
            found.update((row.id, Posted(*row)) for row in rows)
        return found

    def postings_of_entries(self, terminal: int, first: int, last: int) -> dict[int, PostingRow]:
        """The postings of sale, recovered and void entries of a terminal, by entry number."""
        rows = self._session.scalars(
            select(PostingRow)
            .where(PostingRow.terminal == terminal)
            .where(PostingRow.closing_seq >= first, PostingRow.closing_seq <= last)
            .order_by(PostingRow.id.desc())
        )
        return {row.closing_seq: row for row in rows if row.closing_seq is not None}

    def postings_of_merchant(
        self, merchant_id: int, time_from: int, time_to: int
    ) -> Sequence[PostingRow]:
        """Postings of a merchant with event time in [from, to), in time order."""
        return self._session.scalars(
            select(PostingRow)
            .where(PostingRow.merchant_id == merchant_id)
            .where(PostingRow.event_time >= time_from, PostingRow.event_time < time_to)
            .order_by(PostingRow.event_time, PostingRow.id)
        ).all()

    def case(self, case_id: int) -> CaseRow:
        """By id."""
        if case_id not in self._cases:
            self._cases[case_id] = self._session.get_one(CaseRow, case_id)
        return self._cases[case_id]

    def fetch_cases(self, case_ids: Iterable[int]) -> None:
        """Looks up cases, in one go."""
        for part in in_parts(number for number in case_ids if number not in self._cases):
            rows = self._session.scalars(select(CaseRow).where(CaseRow.id.in_(part)))
            self._cases.update((row.id, row) for row in rows)

    def cases(self) -> Sequence[CaseRow]:
        """All, by id."""
        return self._session.scalars(select(CaseRow).order_by(CaseRow.id)).all()

    def decided(self, case_ids: Iterable[int]) -> set[int]:
        """Those of these cases that two people closed."""
        found: set[int] = set()
        for part in in_parts(case_ids):
            found.update(
                self._session.scalars(
                    select(CaseRow.id)
                    .where(CaseRow.id.in_(part))
                    .where(CaseRow.state == CaseState.CLOSED, CaseRow.approved_by.is_not(None))
                    .where(CaseRow.decided_by != SYSTEM)
                )
            )
        return found

    def find_alarm(self, code: str, ref: str) -> AlarmRow | None:
        """The alarm of a code and subject."""
        return self._session.scalar(
            select(AlarmRow).where(AlarmRow.code == code, AlarmRow.ref == ref)
        )

    def alarms(self) -> Sequence[AlarmRow]:
        """All, oldest first."""
        return self._session.scalars(select(AlarmRow).order_by(AlarmRow.id)).all()

    def proof_requests(self, purse_id: int | None = None) -> Sequence[ProofRequestRow]:
        """Open requests, of one purse or of all."""
        query = _PROOF_REQUESTS
        if purse_id is not None:
            query = query.where(ProofRequestRow.purse_id == purse_id)
        return self._session.scalars(query).all()

    def records_to_prove(self) -> list[tuple[PurseId, int]]:
        """Purse and counter of every open request, by purse and counter."""
        rows = self._session.execute(
            select(MunicipalityRow.issuer, PurseRow.number, ProofRequestRow.ctr)
            .join(PurseRow, PurseRow.id == ProofRequestRow.purse_id)
            .join(MunicipalityRow, MunicipalityRow.id == PurseRow.municipality_id)
            .order_by(ProofRequestRow.purse_id, ProofRequestRow.ctr)
        )
        return [(PurseId(issuer, number), ctr) for issuer, number, ctr in rows]

    def decided_intents(self) -> list[tuple[int, int, bytes, bytes]]:
        """Parked intents whose place on the card a proven record has, by terminal and number.

        With each the intent's hash, and that record; at most ``TOLD_MAX`` of a terminal. Tills
        that are lost are left out; forks, where the intent's own record is proven too; and
        another's record that the card still shows, or that bears this intent's hash: the till
        reads that card itself, or people decide.
        """
        rows = self._session.execute(_DECIDED)
        told, of_terminal = list[tuple[int, int, bytes, bytes]](), Counter[int]()
        for terminal, seq, digest, own_hash, record, found_hash in rows:
            names_it = intent_hash_in(record) == digest[:INTENT_HASH_SIZE]
            if names_it is (found_hash == own_hash) and of_terminal[terminal] < TOLD_MAX:
                told.append((terminal, seq, digest, record))
                of_terminal[terminal] += 1
        return told

    def proof_requests_of(self, purse_ids: Collection[int]) -> Sequence[ProofRequestRow]:
        """Open requests of several purses."""
        query = _PROOF_REQUESTS.where(ProofRequestRow.purse_id.in_(purse_ids))
        return self._session.scalars(query).all()

    def drop_proof_request(self, request: ProofRequestRow) -> None:
        """The request is answered, or no longer needed."""
        self._session.delete(request)

    def grant_seen(self, digest: bytes) -> GrantSeenRow | None:
        """By the SHA-256 of the 91 bytes."""
        return self._grants_seen.find(digest, lambda: self._session.get(GrantSeenRow, digest))

    def lowest_unsettled(self, purse_ids: Collection[int]) -> dict[int, int]:
        """By purse, the lowest counter of a posting that is not simply payable, or still open."""
        rows = self._session.execute(
            select(PostingRow.purse_id, func.min(PostingRow.ctr).label("lowest"))
            .where(PostingRow.purse_id.in_(purse_ids), PostingRow.state != "contradicted")
            .where(UNSETTLED)
            .group_by(PostingRow.purse_id)
        )
        return {row.purse_id: row.lowest for row in rows}

    def is_batched(self, posting_id: int) -> bool:
        """Whether a settlement batch that has not failed includes the posting."""
        line = (
            select(BatchLineRow.id)
            .join(SettlementBatchRow, SettlementBatchRow.id == BatchLineRow.batch_id)
            .where(BatchLineRow.posting_id == posting_id, BatchLineRow.state == LineState.INCLUDED)
            .where(SettlementBatchRow.state != "failed", BatchLineRow.return_id.is_(None))
        )
        return self._session.scalar(line.limit(1)) is not None


def _size(starts: Mapping[int, int]) -> int:
    """A power of two that ``starts`` fits in: few different statements are ever compiled."""
    return 1 << max(len(starts) - 1, 0).bit_length()


def _start_values(starts: Mapping[int, int]) -> dict[str, int]:
    pairs = list(starts.items())
    pairs += pairs[:1] * (_size(starts) - len(pairs))
    values: dict[str, int] = {}
    for at, (purse_id, ctr) in enumerate(pairs):
        values[f"purse_{at}"], values[f"ctr_{at}"] = purse_id, ctr
    return values


def _from_starts(row: Any, size: int) -> Any:
    return or_(
        *(
            and_(row.purse_id == bindparam(f"purse_{at}"), row.ctr >= bindparam(f"ctr_{at}"))
            for at in range(size)
        )
    )


@lru_cache(maxsize=16)
def _records_from(size: int) -> Select[CardRecordRow]:
    return (
        select(CardRecordRow)
        .where(_from_starts(CardRecordRow, size))
        .order_by(CardRecordRow.purse_id, CardRecordRow.ctr, CardRecordRow.id)
    )


@lru_cache(maxsize=16)
def _postings_from(size: int) -> Select[PostingRow]:
    return (
        select(PostingRow)
        .where(_from_starts(PostingRow, size))
        .order_by(PostingRow.purse_id, PostingRow.ctr, PostingRow.id)
    )
