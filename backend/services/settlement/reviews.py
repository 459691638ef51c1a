"""The sampled review of a batch: sent, a sample drawn and looked at, lines held back.

What follows from a look: the line is paid, or it is *postponed* (the next batch looks at it
again), *suspended* or *rejected*. Of the last two the money goes into a case, which two people
close: to the merchant after all, or to the purse. So nobody takes a shop's money alone.

Where several people approve, what the first agreed to is what the last agrees to: from the
first approval on nothing is sent, sampled or held back any more.
"""

from collections.abc import Collection
from dataclasses import dataclass

from backend.adapters.tables.settlement import (
    ApprovalBandRow,
    BatchLineRow,
    BatchReviewRow,
    SettlementBatchRow,
)
from backend.adapters.unit_of_work import Unit
from backend.domain.people import check_person, check_two_people
from backend.domain.review import SEED_SIZE, Rule, rule_for, sample
from backend.domain.settlement import BatchState, LineState, advance, check_second_person
from backend.errors import BadInputError, ConflictError
from backend.services.settlement.held_lines import Holding, check_included
from backend.services.settlement.views import Batch, view
from backend.services.unit_of_work import Work
from cardlib.ports import Clock, Randomness


@dataclass(frozen=True, slots=True)
class ReviewOffice:
    """The use cases; people are named by whoever calls."""

    work: Work
    clock: Clock
    randomness: Randomness

    def set_band(
        self, municipality: int, rule: Rule, *, act: str, requested_by: str, approved_by: str
    ) -> None:
        """From now on, batches drawn up of this amount need this; NotPermittedError
        ``SAME_PERSON``."""
        check_two_people(requested_by, approved_by)
        with self.work.begin() as unit:
            unit.add(
                ApprovalBandRow(
                    municipality_id=municipality, from_cents=rule.from_cents,
                    sample_permille=rule.sample_permille, approvals=rule.approvals, act=act,
                    requested_by=requested_by, approved_by=approved_by, set_at=self._now(),
                )
            )  # fmt: skip
            unit.commit()

    def bands(self, municipality: int) -> list[Rule]:
        """What is in force now, from the lowest amount up."""
        with self.work.read() as unit:
            rules = {rule.from_cents: rule for rule in _rules(unit, municipality)}
        return [rules[cents] for cents in sorted(rules)]

    def send(self, batch: int, by: str) -> Batch:
        """Hands a batch over for review; again changes nothing. ConflictError ``BATCH_STATE``,
        ``BATCH_AGREED`` (somebody has approved it)."""
        check_person(by)
        with self.work.begin() as unit:
            row = unit.settlement.batch(batch)
            if row.state == BatchState.SENT:
                return view(unit, row)
            row.state = advance(batch, BatchState(row.state), BatchState.SENT)
            _check_nobody_agreed(unit, row)
            unit.add(BatchReviewRow(batch_id=batch, sent_by=by, sent_at=self._now()))
            unit.commit()
            return view(unit, row)

    def begin(self, batch: int, by: str, permille: int | None = None) -> Batch:
        """Draws the sample, once, by a seed that is kept: ``permille`` of the lines, or as many
        as the batch's amount asks for; never fewer than those.

        Again changes nothing. ConflictError ``BATCH_STATE``, ``BATCH_AGREED``;
        NotPermittedError ``BATCH_SAME_PERSON``; BadInputError ``SAMPLE_BAD``.
        """
        with self.work.begin() as unit:
            row = unit.settlement.batch(batch)
            if row.state == BatchState.UNDER_REVIEW:
                return view(unit, row)
            advanced = advance(batch, BatchState(row.state), BatchState.UNDER_REVIEW)
            check_second_person(batch, row.created_by, by)
            _check_nobody_agreed(unit, row)
            review, least = unit.settlement.review(batch), rule_of(unit, row).sample_permille
            assert review is not None  # it was sent
            chosen = least if permille is None else permille
            if not max(least, 1) <= chosen <= 1000:
                raise BadInputError("SAMPLE_BAD", least=max(least, 1))
            row.state, review.begun_by, review.begun_at = advanced, by, self._now()
            review.seed, review.sample_permille = self.randomness.bytes(SEED_SIZE), chosen
            _mark_sample(row, review.seed, chosen)
            unit.commit()
            return view(unit, row)

    def accept(self, batch: int, lines: Collection[int], by: str) -> Batch:
        """Notes that lines were looked at and are right; none named: all that are left of the
        sample."""
        with self.work.begin() as unit:
            row = _under_review(unit, batch, by)
            wanted = [unit.settlement.line(batch, line) for line in lines] or _unseen(row)
            for line in wanted:
                check_included(line)
                line.reviewed_by, line.reviewed_at = by, self._now()
            unit.commit()
            return view(unit, row)

    def hold(self, batch: int, line: int, to: LineState, note: str, by: str) -> Batch:
        """Holds a line back, for the reason ``note``; ConflictError ``LINE_STATE`` (it is held
        back already), ``LINE_NOT_A_SALE``, ``LINE_GIVEN_BACK``, ``LINE_DECIDED``,
        ``LINE_CHANGED``, ``LINE_POT_OWES`` and ``BATCH_AGREED`` where the batch has to be
        turned down instead.
        """
        with self.work.begin() as unit:
            row = _under_review(unit, batch, by)
            _check_nobody_agreed(unit, row)
            held = unit.settlement.line(batch, line)
            Holding(unit, row, held, self._now()).hold(to, note, by)
            unit.commit()
            return view(unit, row)

    def _now(self) -> int:
        return self.clock.unix_ms() // 1000


def rule_of(unit: Unit, row: SettlementBatchRow) -> Rule:
    """What a batch needs, by its amount as it was drawn up and the bands of that moment."""
    return rule_for(_drawn_up(row), _rules(unit, row.municipality_id, row.created_at))


def check_reviewed(unit: Unit, row: SettlementBatchRow) -> None:
    """ConflictError ``REVIEW_WANTED``, ``REVIEW_UNFINISHED`` before it may be approved."""
    if rule_of(unit, row).sample_permille and row.state != BatchState.UNDER_REVIEW:
        raise ConflictError("REVIEW_WANTED", batch=row.id)
    if left := len(_unseen(row)):
        raise ConflictError("REVIEW_UNFINISHED", batch=row.id, lines=left)


def _rules(unit: Unit, municipality: int, until: int | None = None) -> list[Rule]:
    bands = unit.settlement.bands(municipality, until)
    return [Rule(band.from_cents, band.sample_permille, band.approvals) for band in bands]


def _drawn_up(row: SettlementBatchRow) -> int:
    """Cents before anything was held back."""
    return sum(
        line.cents
        for line in row.lines
        if line.state == LineState.INCLUDED or line.in_sample is not None
    )


def _mark_sample(row: SettlementBatchRow, seed: bytes, permille: int) -> None:
    paid = [line for line in row.lines if line.state == LineState.INCLUDED]
    chosen = sample(seed, len(paid), permille)
    for place, line in enumerate(paid):
        line.in_sample = place in chosen


def _unseen(row: SettlementBatchRow) -> list[BatchLineRow]:
    """Lines of the sample that nobody has looked at."""
    return [line for line in row.lines if line.in_sample and line.reviewed_by is None]


def _check_nobody_agreed(unit: Unit, row: SettlementBatchRow) -> None:
    """ConflictError ``BATCH_AGREED``: who approved a batch approved these lines and this total."""
    if agreed := unit.settlement.approvals(row.id):
        raise ConflictError("BATCH_AGREED", batch=row.id, person=agreed[0].person)


def _under_review(unit: Unit, batch: int, by: str) -> SettlementBatchRow:
    row = unit.settlement.batch(batch)
    if row.state != BatchState.UNDER_REVIEW:
        raise ConflictError("BATCH_STATE", batch=batch, state=row.state, wanted="under_review")
    check_second_person(batch, row.created_by, by)
    return row
