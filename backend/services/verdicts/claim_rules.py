"""Why a posting may not simply be paid: each reason has a code and a sentence."""

from enum import StrEnum

from backend.adapters.tables.journals import IntentLineRow
from backend.adapters.unit_of_work import Unit
from backend.domain.expiry import expired_from
from backend.domain.verdicts import Closing, Judgement
from backend.services.verdicts.purse_facts import KnownGrant, KnownRecord, PurseFacts, grant_of_line
from cardlib.wire.entry import decode_entry

AT_THE_COUNTER_S = 3600
"""So long after midnight a sale may be made that was begun, or whose PIN was asked, before it."""


class Reason(StrEnum):
    """Where a posting's money lies when it is not payable, and why."""

    NONE = ""
    UNPROVEN = "SALE_UNPROVEN"
    ORACLE = "SALE_ORACLE"
    """Unproven, and its chip cannot prove it: a person decides."""
    CONTRADICTED = "SALE_CONTRADICTED"
    ENTRY_MISSING = "SALE_ENTRY_MISSING"
    """The card proves it, its terminal has not told of it yet."""
    ENTRY_OPEN = "SALE_ENTRY_OPEN"
    """The intent is known, its closing entry is not."""
    JOURNAL_OTHER = "SALE_JOURNAL_OTHER"
    """The terminal's journal holds something else in that place."""
    NOT_APPLIED = "SALE_NOT_APPLIED"
    """The terminal signed that nothing was debited: back to the purse."""
    TERMINAL_LOST = "SALE_TERMINAL_LOST"
    GRANT_UNKNOWN = "SALE_GRANT_UNKNOWN"
    GRANT_SUPERSEDED = "SALE_GRANT_SUPERSEDED"
    MERCHANT_NOT_ENABLED = "SALE_MERCHANT_NOT_ENABLED"
    OVERDRAWN = "SALE_OVERDRAWN"
    EXPIRED = "SALE_EXPIRED"
    """It came after what was left of the wallet had been given up."""
    AFTER_LAST_DAY = "SALE_AFTER_LAST_DAY"
    """By its own time it was made when the wallet could not be spent any more."""
    AFTER_BLOCK = "SALE_AFTER_BLOCK"
    """By its own time it was made when no till may have been without the block."""
    FORK_DEAD = "SALE_FORK_DEAD"
    VOID_AFTER_CLOSE = "VOID_AFTER_CLOSE"
    """Its till had closed the day of the sale: it should have been a return (PROTOCOL 2)."""


HOLDS_BACK = frozenset(
    {Reason.VOID_AFTER_CLOSE, Reason.ENTRY_MISSING, Reason.JOURNAL_OTHER, Reason.NOT_APPLIED}
)
"""Why a void that the card proves holds nothing but the merchant's money back: its wallet has
nothing again in the books before its till, or two people, have said so."""


def claim_problem(
    unit: Unit, facts: PurseFacts, record: KnownRecord, judgement: Judgement
) -> Reason:
    """The first reason not to pay a live record; overdraw is judged with the money."""
    journal = _journal_problem(unit, record, judgement)
    if journal:
        return journal
    if not judgement.proven:
        return Reason.UNPROVEN if facts.attests else Reason.ORACLE
    if _after_loss(unit, record):
        return Reason.TERMINAL_LOST
    if judgement.fact.sign < 0:
        return Reason.VOID_AFTER_CLOSE if _voids_closed_batch(unit, record) else Reason.NONE
    if set(judgement.amounts) - {line.slot for line in record.lines}:
        return Reason.GRANT_UNKNOWN
    for line in record.lines:
        problem = _line_problem(unit, facts, record, line)
        if problem:
            return problem
    return Reason.NONE


def _voids_closed_batch(unit: Unit, record: KnownRecord) -> bool:
    """Whether a till's own word puts a void into a later batch than its sale."""
    intent = record.intent
    if intent is None or intent.voided_seq is None:
        return False
    pair = (unit.journals.entry(intent.terminal, seq) for seq in (intent.seq, intent.voided_seq))
    batches = {decode_entry(entry.complete).header.batch for entry in pair if entry is not None}
    return len(batches) > 1


def _after_loss(unit: Unit, record: KnownRecord) -> bool:
    """Whether a terminal's word counts no more: its clock, or when it came, says after the loss.

    A thief sets the clock back; what was not told before the loss was recorded is for a person.
    """
    if record.terminal is None or record.terminal.lost_at is None:
        return False
    loss = unit.acts.loss(record.terminal.number)
    told = record.intent.closing_seq if record.intent else None
    late = loss is not None and told is not None and told > loss.head_seq
    return late or record.spend.time >= record.terminal.lost_at


def _journal_problem(unit: Unit, record: KnownRecord, judgement: Judgement) -> Reason:
    match judgement.fact.closing:
        case Closing.MISSING if record.spend.terminal == 0:
            return Reason.NONE  # written by the backend itself
        case Closing.MISSING:
            entry = unit.journals.entry(record.spend.terminal, record.spend.seq)
            other = entry is not None and entry.verdict == "accepted"
            return Reason.JOURNAL_OTHER if other else Reason.ENTRY_MISSING
        case Closing.OPEN:
            return Reason.ENTRY_OPEN
        case Closing.NOT_APPLIED:
            return Reason.NOT_APPLIED
    return Reason.NONE


def _line_problem(
    unit: Unit, facts: PurseFacts, record: KnownRecord, line: IntentLineRow
) -> Reason:
    grant = grant_of_line(facts, line)
    if grant is None or grant.row.state in {"loading", "void"}:
        return Reason.GRANT_UNKNOWN
    if record.spend.time >= expired_from(grant.row.valid_to) + AT_THE_COUNTER_S:
        return Reason.AFTER_LAST_DAY
    if _is_superseded(facts, grant, record):
        return Reason.GRANT_SUPERSEDED
    if record.spend.spent[line.slot - 1] > _granted(facts, line.slot):
        return Reason.OVERDRAWN
    assert record.terminal is not None
    programme_id = unit.cards.order(grant.row.order_id).programme_id
    enabled = unit.terminals.enabled(record.terminal.merchant_id, programme_id)
    if enabled is None or (
        enabled.disabled_at is not None and record.spend.time >= enabled.disabled_at
    ):
        return Reason.MERCHANT_NOT_ENABLED
    return Reason.NONE


def _granted(facts: PurseFacts, slot: int) -> int:
    """The most that was ever granted in a slot: sales not told of yet may have taken the rest."""
    confirmed = (
        grant for grant in facts.grants.values() if grant.row.state in {"on_card", "superseded"}
    )
    totals = (grant.terms.granted_total for grant in confirmed if grant.row.slot == slot)
    return max(totals, default=0)


def _is_superseded(facts: PurseFacts, named: KnownGrant, record: KnownRecord) -> bool:
    """An older grant than the newest confirmed one, and not within that one either.

    What the card wrote before the newer grant was signed is simply late.
    """
    for grant in facts.grants.values():
        newer, older = grant.terms, named.terms
        if newer.slot != older.slot or grant.row.state != "on_card":
            continue
        spent = record.spend.spent[older.slot - 1]
        within = (
            newer.programme == older.programme and newer.base_spent <= spent <= newer.granted_total
        )
        return newer.grant_seq > older.grant_seq and record.row.ctr > newer.base_ctr and not within
    return False
