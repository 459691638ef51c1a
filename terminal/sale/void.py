"""A void: taking back this till's last sale on a card, by the same dialogue (PROTOCOL 2).

Day limit, validity and categories do not apply; hotlist and card expiry do.
Anything later than the next sale, load or Z is a return.
"""

from cardlib.codec.purse import SpendType
from cardlib.dialogues.purse_state import PurseState
from cardlib.wire.entry_body import Intent
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.money import ZERO, Money
from terminal.errors import SaleRefusedError
from terminal.journal.derived import IntentState
from terminal.journal.views import Views
from terminal.sale.offer import Offer, share_of


def make_void(state: PurseState, terminal: TerminalNumber, views: Views) -> Offer:
    """Offers to take the newest sale back, whole.

    SaleRefusedError: ``VOID_NOT_LAST`` when the card's newest record is not a sale of
    this till, ``VOID_BATCH_CLOSED``, ``VOID_TWICE``, ``VOID_AFTER_LOAD``.
    """
    newest = state.spend
    if newest.type is not SpendType.SALE or newest.terminal != terminal:
        raise SaleRefusedError("VOID_NOT_LAST")
    seq = Seq(newest.seq)
    intent = _own_sale(seq, views)
    if views.is_voided(seq):
        raise SaleRefusedError("VOID_TWICE", seq=seq)
    paid: dict[int, int] = {}
    for line in intent.lines:
        paid[line.slot] = paid.get(line.slot, 0) + line.cents
    for slot in paid:
        wallet = state.wallets.get(slot)
        if wallet is None or newest.ctr <= wallet.grant.base_ctr:
            raise SaleRefusedError("VOID_AFTER_LOAD", seq=seq)
    shares = tuple(share_of(state.wallets[slot], -Money(paid[slot])) for slot in sorted(paid))
    return Offer(SpendType.VOID, shares, intent.lines, ZERO, voided=seq)


def _own_sale(seq: Seq, views: Views) -> Intent:
    if views.intent_state(seq) is not IntentState.COMMITTED:
        raise SaleRefusedError("VOID_NOT_LAST")
    entry = views.entry(seq).decode()
    if entry.header.batch != views.batch():
        raise SaleRefusedError("VOID_BATCH_CLOSED", seq=seq)
    assert isinstance(entry.body, Intent)
    return entry.body
