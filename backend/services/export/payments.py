"""What merchants are paid: statements, batches with their reviews, payments, returns."""

from collections.abc import Iterator

from backend.adapters.tables.settlement import SettlementBatchRow
from backend.domain.settlement import LineState
from backend.services.export.naming import Naming, Row
from backend.services.settlement.reviews import rule_of


def statements(naming: Naming) -> Iterator[Row]:
    """What each batch pays, as its merchant is told."""
    for batch in naming.unit.settlement.each_batch():
        posted = naming.unit.verdicts.posted(line.posting_id for line in batch.lines)
        lines = [
            {"entry": naming.document(posted[line.posting_id]),
             "amount_cents": line.cents, "return": line.return_id}
            for line in batch.lines
            if line.state == LineState.INCLUDED
        ]  # fmt: skip
        yield {
            "statement": batch.id, "merchant": batch.merchant_id,
            "period_from": batch.period_from, "period_to": batch.period_to, "lines": lines,
            "total_cents": sum(line["amount_cents"] for line in lines),
        }  # fmt: skip


def batches(naming: Naming) -> Iterator[Row]:
    """The batches, their lines and their reviews."""
    for batch in naming.unit.settlement.each_batch():
        posted = naming.unit.verdicts.posted(line.posting_id for line in batch.lines)
        replaced = naming.unit.settlement.batches_of_lines(
            line.replaces_id for line in batch.lines if line.replaces_id is not None
        )
        yield {
            "batch": batch.id, "merchant": batch.merchant_id,
            "period_from": batch.period_from, "period_to": batch.period_to,
            "state": batch.state, "total_cents": batch.total_cents,
            "created_by": batch.created_by, "turned_down_by": batch.turned_down_by,
            **_approval(naming, batch),
            "lines": [
                {
                    "entry": naming.document(posted[line.posting_id]),
                    "amount_cents": line.cents, "state": line.state,
                    "replaces": replaced.get(line.replaces_id or 0),
                    "return": line.return_id, "sampled": line.in_sample,
                    "reviewed_by": line.reviewed_by, "reviewed_at": line.reviewed_at,
                    "note": line.note,
                }
                for line in batch.lines
            ],
        }  # fmt: skip


def _approval(naming: Naming, batch: SettlementBatchRow) -> Row:
    """What its amount asked for, the review, and who approved it."""
    rule, review = rule_of(naming.unit, batch), naming.unit.settlement.review(batch.id)
    return {
        "rule": {
            "from_cents": rule.from_cents, "sample_permille": rule.sample_permille,
            "approvals": rule.approvals,
        },
        "approvals": [
            {"by": item.person, "at": item.approved_at}
            for item in naming.unit.settlement.approvals(batch.id)
        ],
        "review": {
            "seed": review.seed.hex(), "sample_permille": review.sample_permille,
            "begun_by": review.begun_by, "begun_at": review.begun_at,
            "sent_by": review.sent_by, "sent_at": review.sent_at,
        } if review and review.seed else None,
    }  # fmt: skip


def payments(naming: Naming) -> Iterator[Row]:
    """What the bank was ordered to pay."""
    for row in naming.unit.settlement.payments():
        yield {
            "payment": row.id, "batch": row.batch_id, "end_to_end_id": row.end_to_end_id,
            "amount_cents": row.cents, "state": row.state, "outcome_ref": row.outcome_ref,
        }  # fmt: skip


def returns(naming: Naming) -> Iterator[Row]:
    """Goods that came back."""
    for row in naming.unit.settlement.returns():
        posting = naming.unit.verdicts.posting(row.posting_id)
        yield naming.pot(row.programme_id, row.funding_source_id) | naming.purse(
            posting.purse_id
        ) | {
            "return": row.id, "entry": naming.document(posting), "slot": row.slot,
            "merchant": row.merchant_id, "amount_cents": row.cents, "act": row.act,
            "requested_by": row.requested_by, "approved_by": row.approved_by,
            "agreed_at": row.agreed_at, "repaid_ref": row.repaid_ref,
            "repaid_by": row.repaid_by, "repaid_at": row.repaid_at,
        }  # fmt: skip


def given_statements(naming: Naming) -> Iterator[Row]:
    """Statements that merchants were given."""
    for row in naming.unit.settlement.given_statements():
        yield {
            "given": row.id, "merchant": row.merchant_id, "period_from": row.period_from,
            "period_to": row.period_to, "issued_at": row.issued_at, "hash": row.hash.hex(),
            "ledger_head": {"transfer": row.transfer, "hash": row.head.hex()},
        }  # fmt: skip
