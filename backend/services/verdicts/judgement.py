"""Judges a purse after new facts: verdicts, postings, marks, alarms, proof requests.

Every service that learns something about a purse calls :func:`judge_purse` before it
commits. What follows depends on the facts alone, not on the order they came in.
"""

from collections.abc import Sequence

from backend.adapters.tables.cards import PurseRow
from backend.adapters.tables.verdicts import ProofRequestRow
from backend.adapters.unit_of_work import Unit
from backend.domain.states import OrderSource
from backend.domain.verdicts import Judgement, PurseVerdict, judge
from backend.services.alarms import hotlist, raise_alarm
from backend.services.refunds import refunds_due
from backend.services.verdicts.announced import learn_announced
from backend.services.verdicts.postings import Books
from backend.services.verdicts.purse_facts import KnownRecord, PurseFacts, gather, grant_of_line
from backend.services.wallets import grants
from backend.services.wallets.present import keep_in_place


def judge_purse(unit: Unit, purse: PurseRow, now: int, *, changed_ctr: int | None = None) -> None:
    """Draws every conclusion from what is known of ``purse``.

    ``changed_ctr``: the lowest counter with new facts; None judges from the first.
    """
    judge_purses(unit, [(purse, changed_ctr)], now)


def judge_purses(unit: Unit, changes: Sequence[tuple[PurseRow, int | None]], now: int) -> None:
    """The same for several purses, in their order, each with its lowest counter of new facts."""
    if not changes:
        return
    unit.flush()  # the order of arrival is the order of the stored rows
    for (purse, _), facts in zip(changes, gather(unit, changes), strict=True):
        _judge(unit, purse, facts, now)
    unit.flush()


def _judge(unit: Unit, purse: PurseRow, facts: PurseFacts, now: int) -> None:
    learn_announced(unit, purse, facts, now)
    verdict = judge([record.fact() for record in facts.records.values()], facts.base)
    for judgement in verdict.judgements:
        if judgement.live and judgement.proven:
            _confirm_grants(unit, facts, facts.records[judgement.fact.hash], now)
    books = Books(unit, purse, facts, now)
    books.bury(verdict.judgements)
    for judgement in verdict.judgements:
        books.post(judgement)
        _keep_flags(facts.records[judgement.fact.hash], judgement)
        _alarm_on(unit, purse, facts.records[judgement.fact.hash], judgement, now)
    books.settle()
    held = [grant.row for grant in facts.grants.values()]
    if purse.state != "active" or any(grant.pending_at for grant in held):
        keep_in_place(unit, purse, held, now)
    _keep_marks(purse, facts, verdict)
    wanted = verdict.wanted_proofs if facts.attests else frozenset()
    _keep_proof_requests(unit, purse, facts, wanted, now)
    _alarm_on_forks(unit, purse, verdict, now)


def _confirm_grants(unit: Unit, facts: PurseFacts, record: KnownRecord, now: int) -> None:
    """A proven state shows that the card held the grants that it spent from."""
    for line in record.lines:
        known = grant_of_line(facts, line)
        if known is None or known.row.state in {"on_card", "superseded"}:
            continue
        grant = known.row
        by = f"entry:{record.intent.terminal}:{record.intent.seq}" if record.intent else "entry"
        if grant.state == "void":
            raise_alarm(unit, "GRANT_REVIVED", f"grant {grant.id}", now)
            if not _can_revive(unit, grant.order_id):
                continue
        grants.confirm(unit, grant, by=by, now=now)


def _can_revive(unit: Unit, order_id: int) -> bool:
    """Whether its own money is still there: what it gave back may be on another card by now."""
    order = unit.cards.order(order_id)
    if order.award_id is not None:
        award = unit.programmes.award(order.award_id)
        left = award.cents - award.withdrawn_cents - unit.cards.ordered_cents(award.id)
        return left >= order.delta_cents
    if order.source == OrderSource.REFUND:
        return refunds_due.available_for(unit, order) >= order.delta_cents
    return unit.ledger.balance(grants.source_account(order)) >= order.delta_cents


def _keep_flags(record: KnownRecord, judgement: Judgement) -> None:
    row = record.row
    if (row.proven, row.live) != (judgement.proven, judgement.live):
        row.proven, row.live = judgement.proven, judgement.live


def _keep_marks(purse: PurseRow, facts: PurseFacts, verdict: PurseVerdict) -> None:
    purse.card_mark = verdict.card_mark
    newest = verdict.newest_proven
    if newest is not None:
        purse.proven_ctr, purse.proven_hash = newest.ctr, newest.hash
    elif facts.base.hash is not None and facts.base.ctr >= purse.proven_ctr:
        purse.proven_ctr, purse.proven_hash = facts.base.ctr, facts.base.hash


def _keep_proof_requests(
    unit: Unit, purse: PurseRow, facts: PurseFacts, wanted: frozenset[int], now: int
) -> None:
    standing = {request.ctr: request for request in facts.requests}
    for ctr, request in standing.items():
        if ctr > facts.base.ctr and ctr not in wanted:
            unit.verdicts.drop_proof_request(request)
    for ctr in sorted(wanted - set(standing)):
        unit.keep(ProofRequestRow(purse_id=purse.id, ctr=ctr, requested_at=now))


def _alarm_on(
    unit: Unit, purse: PurseRow, record: KnownRecord, judgement: Judgement, now: int
) -> None:
    if judgement.forged_predecessor and judgement.live:
        raise_alarm(
            unit, "PREDECESSOR_FORGED", f"purse {purse.id} ctr {judgement.fact.ctr}", now,
            purse=purse, terminal=record.terminal.number if record.terminal else None,
        )  # fmt: skip
        if judgement.lowered:
            hotlist(purse, "PREDECESSOR_FORGED", now)


def _alarm_on_forks(unit: Unit, purse: PurseRow, verdict: PurseVerdict, now: int) -> None:
    for ctr in verdict.forks:
        raise_alarm(unit, "PURSE_FORKED", f"purse {purse.id} ctr {ctr}", now, purse=purse)
        hotlist(purse, "PURSE_FORKED", now)
