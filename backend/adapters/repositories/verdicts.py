"""Records of cards, attestations, postings, cases, alarms, proof requests."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.adapters.tables.settlement import BatchLineRow, SettlementBatchRow
from backend.adapters.tables.verdicts import (
    AlarmRow,
    AttestationRow,
    CardRecordRow,
    CaseRow,
    GrantSeenRow,
    PostingRow,
    ProofRequestRow,
)


class Verdicts:
    """What the backend concluded about purses."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(self, purse_id: int, ctr: int, record_hash: bytes) -> CardRecordRow | None:
        """One record."""
        return self._session.scalar(
            select(CardRecordRow).where(
                CardRecordRow.purse_id == purse_id,
                CardRecordRow.ctr == ctr,
                CardRecordRow.record_hash == record_hash,
            )
        )

    def records(self, purse_id: int, from_ctr: int = 0) -> Sequence[CardRecordRow]:
        """Records of a purse from counter ``from_ctr`` on, by counter, then arrival."""
        return self._session.scalars(
            select(CardRecordRow)
            .where(CardRecordRow.purse_id == purse_id, CardRecordRow.ctr >= from_ctr)
            .order_by(CardRecordRow.ctr, CardRecordRow.id)
        ).all()

    def attestation(self, source: str, source_ref: str, digest: bytes) -> AttestationRow | None:
        """One attested read, by where it came from."""
        return self._session.scalar(
            select(AttestationRow).where(
                AttestationRow.source == source,
                AttestationRow.source_ref == source_ref,
                AttestationRow.record_hash == digest,
            )
        )

    def attestations(self) -> Sequence[AttestationRow]:
        """All, oldest first."""
        return self._session.scalars(select(AttestationRow).order_by(AttestationRow.id)).all()

    def postings(self, purse_id: int, from_ctr: int = 0) -> Sequence[PostingRow]:
        """Postings of a purse from counter ``from_ctr`` on, by counter."""
        return self._session.scalars(
            select(PostingRow)
            .where(PostingRow.purse_id == purse_id, PostingRow.ctr >= from_ctr)
            .order_by(PostingRow.ctr, PostingRow.id)
        ).all()

    def posting(self, posting_id: int) -> PostingRow:
        """By id."""
        return self._session.get_one(PostingRow, posting_id)

    def posting_of_entry(self, terminal: int, seq: int) -> PostingRow | None:
        """The posting of a sale, recovered or void entry."""
        return self._session.scalar(
            select(PostingRow).where(PostingRow.terminal == terminal, PostingRow.closing_seq == seq)
        )

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
        return self._session.get_one(CaseRow, case_id)

    def cases(self) -> Sequence[CaseRow]:
        """All, by id."""
        return self._session.scalars(select(CaseRow).order_by(CaseRow.id)).all()

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
        query = select(ProofRequestRow).order_by(ProofRequestRow.purse_id, ProofRequestRow.ctr)
        if purse_id is not None:
            query = query.where(ProofRequestRow.purse_id == purse_id)
        return self._session.scalars(query).all()

    def drop_proof_request(self, request: ProofRequestRow) -> None:
        """The request is answered, or no longer needed."""
        self._session.delete(request)

    def grant_seen(self, digest: bytes) -> GrantSeenRow | None:
        """By the SHA-256 of the 91 bytes."""
        return self._session.get(GrantSeenRow, digest)

    def lowest_unsettled(self, purse_id: int) -> int | None:
        """The lowest counter of a posting that is not simply payable, or still open."""
        found: int | None = self._session.scalar(
            select(func.min(PostingRow.ctr)).where(
                PostingRow.purse_id == purse_id,
                PostingRow.state != "contradicted",
                or_(PostingRow.reason != "", PostingRow.amount_open.is_(True)),
            )
        )
        return found

    def is_batched(self, posting_id: int) -> bool:
        """Whether a settlement batch that has not failed includes the posting."""
        line = (
            select(BatchLineRow.id)
            .join(SettlementBatchRow, SettlementBatchRow.id == BatchLineRow.batch_id)
            .where(BatchLineRow.posting_id == posting_id, BatchLineRow.state == "included")
            .where(SettlementBatchRow.state != "failed")
        )
        return self._session.scalar(line.limit(1)) is not None
