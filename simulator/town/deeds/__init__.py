"""What each kind of happening does in a town."""

from collections.abc import Callable, Mapping

from simulator.town.deeds import cards, office, put_back, shops
from simulator.town.plan.model import Happening, Kind
from simulator.town.state import Town

Deed = Callable[[Town, Happening], None]
DEEDS: Mapping[Kind, Deed] = {
    Kind.ISSUE_CARD: cards.issue_card,
    Kind.ORDER_LOAD: cards.order_load,
    Kind.COLLECT: cards.collect,
    Kind.OPEN_TILL: shops.open_till,
    Kind.CLOSE_TILL: shops.close_till,
    Kind.BUY: shops.buy,
    Kind.VOID: shops.void,
    Kind.SYNC: shops.synchronise,
    Kind.RESET_PIN: cards.reset_pin,
    Kind.LOSE_CARD: cards.lose_card,
    Kind.REPORT_LOSS: cards.report_loss,
    Kind.FIND_CARD: cards.find_card,
    Kind.REPLACE_CARD: cards.replace_card,
    Kind.DESK_WORK: office.desk_work,
    Kind.CLOSE_BATCH: shops.close_batch,
    Kind.STRANGER: shops.stranger,
    Kind.TAKE_BACK: cards.take_back,
    Kind.GIVE_BACK: office.give_back,
    Kind.STATEMENTS: office.statements,
    Kind.SETTLE: office.settle,
    Kind.END_DAY: office.end_day,
    Kind.BACKUP_TILL: put_back.backup_till,
    Kind.RESTORE_TILL: put_back.restore_till,
    Kind.STEAL_TILL: shops.steal_till,
    Kind.BACKUP_BACKEND: office.backup_backend,
    Kind.RESTORE_BACKEND: office.restore_backend,
    Kind.PAY: office.pay,
    Kind.ANNOUNCE_KEYS: office.announce_keys,
    Kind.BEGIN_KEYS: office.begin_keys,
    Kind.RENEW_CARD: cards.renew_card,
    Kind.CLOCK_JUMP: shops.clock_jump,
    Kind.HALL_CLOCK: office.hall_clock,
    Kind.CLOCK_RIGHT: shops.clock_right,
    Kind.SHOW_CARDS: shops.show_cards,
    Kind.LINES_UP: shops.lines_up,
}
