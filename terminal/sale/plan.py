"""The intent: exactly what the till is about to write on the card (PROTOCOL 4, type 1)."""

from cardlib.codec.purse import TOTAL_CENTS_MAX, Spend, SpendType, Totals
from cardlib.dialogues.purse_state import PurseState
from cardlib.errors import PurseRefusedError
from cardlib.keys.intent_rule import PREV_SIZE, record_hash, totals_after
from cardlib.wire.entry_body import GrantSeen, Intent, Plan
from terminal.journal.views import Views
from terminal.sale.day_spent import after_sale, after_void, spent_today
from terminal.sale.offer import Offer

CTR_MAX = 0xFFFFFF


def plan_intent(
    state: PurseState, offer: Offer, now: int, today: int, *, pin_asked: bool
) -> Intent:
    """The body to be signed; ``now`` in Unix seconds. PurseRefusedError ``PURSE_FULL``."""
    slots = sorted({line.slot for line in offer.lines})
    return Intent(
        info_core=state.info.core,
        newest_record=state.newest.record,
        newest_index=state.newest.index,
        plan=_plan(state, offer, now, today),
        lines=offer.lines,
        grant_hashes=tuple(state.wallets[slot].signed.hash for slot in slots),
        other_cents=offer.other.cents,
        shown=offer.shown,
        pin_asked=pin_asked,
        voided=offer.voided,
    )


def new_grants(state: PurseState, offer: Offer, views: Views) -> list[GrantSeen]:
    """The grants that pay and that this journal has not told the backend of yet."""
    slots = sorted({line.slot for line in offer.lines})
    grants = (state.wallets[slot].signed for slot in slots)
    return [
        GrantSeen(grant=bytes(signed))
        for signed in grants
        if views.grant_seen(state.purse, signed.grant.grant_seq) is None
    ]


def _plan(state: PurseState, offer: Offer, now: int, today: int) -> Plan:
    newest = state.spend
    return Plan(
        ctr=_next_ctr(newest),
        totals=_totals(newest, offer),
        time=now,
        day_spent=_day_spent(newest, offer, today),
        prev=record_hash(state.newest.record)[:PREV_SIZE],
        type=offer.kind,
    )


def _next_ctr(newest: Spend) -> int:
    if newest.ctr >= CTR_MAX:
        raise PurseRefusedError("PURSE_FULL")
    return newest.ctr + 1


def _totals(newest: Spend, offer: Offer) -> Totals:
    s1, s2, s3, s4, s5, s6 = totals_after(newest.spent, offer.lines, offer.kind)
    totals = (s1, s2, s3, s4, s5, s6)
    if max(totals) > TOTAL_CENTS_MAX:
        raise PurseRefusedError("PURSE_FULL")
    return totals


def _day_spent(newest: Spend, offer: Offer, today: int) -> int:
    before = spent_today(newest, today)
    change = after_void if offer.kind is SpendType.VOID else after_sale
    return change(before, offer.total.cents)
