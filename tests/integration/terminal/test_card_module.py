"""A till whose security module is a card: sales, quotas, and the module pulled at every step."""

from dataclasses import replace

import pytest

from cardlib.codec.files import KeyId
from cardlib.codec.pin import Pin
from cardlib.codec.purse import FLAG_PIN_ENFORCED
from cardlib.drivers.card_module import CardModule
from cardlib.drivers.legacy_card import LegacyCard
from cardlib.errors import (
    AuthenticityError,
    CardlibError,
    ModuleGoneError,
    ModuleRefusedError,
    PresenceError,
    PurseRefusedError,
)
from cardlib.keys import records
from cardlib.keys.derivation import DebitKeys
from cardlib.wire.bundle import Limits
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.enrolment import DebitMaster
from cardlib.wire.entry import Entry
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.module_order import ModuleOrder, ModuleState
from cardlib.wire.money import Money
from simulator.card.masks import WHITE_LEGACY
from simulator.card.randomness import SeededRandomness
from simulator.faults import TearAfter, TearBefore, nth
from simulator.module_card.card import ModuleCard
from simulator.module_card.memory import Allowance
from terminal.recovery.table import Verdict
from terminal.sale.offer import Item
from terminal.sale.session import SaleSession
from terminal.sale.states import State
from terminal.till import Till
from tests.integration.terminal.stage import (
    FOOD,
    ISSUER,
    KEY_SET,
    Customer,
    Stage,
    StageCard,
    assert_books,
    blank_spend,
    codes,
    committed,
)
from tests.integration.terminal.stage import PIN as CARD_PIN
from tests.module_cards import MANY, PIN, Slot, ready_memory

TERMINAL = 502
KEY = SigningKey(bytes([TERMINAL & 0xFF]) * 32)
UPDATE = 0xDC
COMMANDS = 12


def plugged(stage: Stage, allowance: Allowance = MANY) -> Slot:
    """A module in service at terminal 502, in its slot."""
    master = DebitMaster(ISSUER, KEY_SET, stage.masters.debit)
    randomness = SeededRandomness("module")
    memory = ready_memory(
        KEY, TERMINAL, stage.operator, master, randomness=randomness, allowance=allowance
    )
    return Slot(ModuleCard(memory, randomness))


def module_in(slot: Slot, pin: str = PIN) -> CardModule:
    return CardModule(slot.connect, pin, KEY.public)


def till_with(stage: Stage, slot: Slot) -> Till:
    return stage.till(TERMINAL, module=module_in(slot))


def order(stage: Stage, number: int, debits: int, cents: int, ceiling: int = 0) -> bytes:
    return ModuleOrder(
        module=KEY.public, number=number, debits_max=debits, cents_max=cents, ceiling=ceiling
    ).sign(stage.operator)


def entries(till: Till) -> list[Entry]:
    return [stored.decode() for stored in till.journal.views.entries()]


def shape(shop: Customer) -> list[tuple[bytes, int]]:
    """Headers and lengths: what the purse and a reader see."""
    return [(item.command[:4], item.size) for item in shop.trace]


def sold(shop: Customer, cents: int) -> SaleSession:
    """A sale up to its commit, whatever becomes of it."""
    sale = shop.session()
    sale.read()
    sale.basket([Item(FOOD, Money(cents))])
    sale.agree(Pin(CARD_PIN))
    sale.commit()
    return sale


# sales -----------------------------------------------------------------------------------------


def test_a_sale_with_a_module_card_is_a_sale_of_class_card(stage: Stage) -> None:
    card, till = stage.card(), till_with(stage, plugged(stage))
    assert Customer(till, card.plug()).buy(12_50).state is State.CLOSED
    assert [entry.header.module_class for entry in entries(till)] == [ModuleClass.CARD] * 3
    assert committed(till)[0].tc is not None
    assert_books(card, till)


def test_the_purse_sees_the_same_sale_as_from_a_software_module(stage: Stage) -> None:
    by_card = Customer(till_with(stage, plugged(stage)), stage.card(number=1).plug())
    by_file = Customer(stage.till(501), stage.card(number=2).plug())
    for shop in (by_card, by_file):
        shop.buy(12_50)
    assert shape(by_card) == shape(by_file)


def test_a_sale_is_twelve_commands_to_the_module(stage: Stage) -> None:
    """SELECT, GET MODULE, VERIFY · OPEN, two records · intent in two blocks, RECORD, UPDATE,
    CONFIRM · the sale: beside the ten to the purse (docs/module-card.md)."""
    slot = plugged(stage)
    shop = Customer(till_with(stage, slot), stage.card().plug())
    shop.buy(1_00)  # notes the grant, and asks whether the purse is served
    before = slot.commands
    shop.buy(2_00)
    assert slot.commands - before == COMMANDS


def test_a_void_is_for_the_modules_own_last_sale(stage: Stage) -> None:
    card, till = stage.card(), till_with(stage, plugged(stage))
    Customer(till, card.plug()).buy(5_00)
    with Customer(till, card.plug()).session() as sale:
        sale.read()
        sale.void()
        sale.agree(Pin(CARD_PIN))
        assert sale.commit().state is State.CLOSED
    assert card.newest().spent[0] == 0
    assert_books(card, till)


def test_the_modules_reader_is_let_go_between_two_customers(stage: Stage) -> None:
    """The sync agent signs its requests with the same module."""
    slot = plugged(stage)
    till, card = till_with(stage, slot), stage.card()
    with Customer(till, card.plug()).session() as sale:
        sale.read()
        assert slot.closed < slot.opened
    assert slot.closed == slot.opened
    module_in(slot).sign_request(b'"@method": POST')
    assert slot.closed == slot.opened
    assert Customer(till, card.plug()).buy(1_00).goods_are_due


# quotas ----------------------------------------------------------------------------------------


def test_a_used_up_number_of_debits_stops_the_queue_before_anything_is_written(
    stage: Stage,
) -> None:
    slot = plugged(stage, replace(MANY, debits_max=2))
    till, card = till_with(stage, slot), stage.card()
    shop = Customer(till, card.plug())
    for _ in range(2):
        assert shop.buy(1_00).goods_are_due
    before = codes(till)
    with pytest.raises(ModuleRefusedError, match="QUOTA_USED_UP"):
        shop.buy(1_00)
    assert codes(till) == before
    assert card.newest().ctr == 2
    assert_books(card, till)


def test_an_operators_order_lets_the_queue_go_on(stage: Stage) -> None:
    slot = plugged(stage, replace(MANY, debits_max=1))
    shop = Customer(till_with(stage, slot), stage.card().plug())
    shop.buy(1_00)
    with pytest.raises(ModuleRefusedError, match="QUOTA_USED_UP"):
        shop.buy(1_00)
    module = module_in(slot)
    module.obey(order(stage, 2, 3, 1_000_00))
    assert shop.buy(1_00).goods_are_due
    state = ModuleState.open(module.state(), KEY.public)
    assert (state.debits, state.cents, state.debits_left, state.order) == (2, 2_00, 1, 2)


def test_the_sum_of_debits_is_bounded_to_the_cent(stage: Stage) -> None:
    slot = plugged(stage, replace(MANY, cents_max=20_00))
    till, card = till_with(stage, slot), stage.card()
    shop = Customer(till, card.plug())
    shop.buy(12_50)
    with pytest.raises(ModuleRefusedError, match="QUOTA_USED_UP"):
        shop.buy(7_51)
    assert shop.buy(7_50).goods_are_due
    assert_books(card, till)


def test_one_debit_has_a_ceiling(stage: Stage) -> None:
    slot = plugged(stage, replace(MANY, ceiling=10_00))
    till, card = till_with(stage, slot), stage.card()
    shop = Customer(till, card.plug())
    with pytest.raises(ModuleRefusedError, match="QUOTA_DEBIT_CEILING"):
        shop.buy(10_01)
    assert codes(till) == []
    assert shop.buy(10_00).goods_are_due


def test_a_retried_debit_is_counted_once(stage: Stage) -> None:
    slot = plugged(stage, replace(MANY, debits_max=1))
    till, card = till_with(stage, slot), stage.card()
    reader = TearBefore(card.plug(), nth(1, UPDATE))
    sale = sold(Customer(till, reader), 3_00)
    assert slot.card.memory.debits == 1
    reader.reinsert()
    assert sale.resolve().may_retry
    assert sale.retry(Pin(CARD_PIN)).goods_are_due
    assert slot.card.memory.debits == 1
    assert_books(card, till)


def test_an_order_kept_back_or_of_somebody_else_changes_nothing(stage: Stage) -> None:
    slot = plugged(stage, replace(MANY, number=5, debits_max=1))
    module = module_in(slot)
    with pytest.raises(ModuleRefusedError, match="MODULE_ORDER_OLD"):
        module.obey(order(stage, 4, 99, 99))
    mallory = ModuleOrder(module=KEY.public, number=9, debits_max=99, cents_max=99)
    other = replace(mallory, module=SigningKey(bytes(32)).public)
    for forged in (mallory.sign(SigningKey(bytes([1]) * 32)), other.sign(stage.operator)):
        with pytest.raises(CardlibError, match="MODULE_ORDER_BAD"):
            module.obey(forged)
    assert slot.card.memory.allowance.debits_max == 1


def test_the_same_order_again_is_no_mistake(stage: Stage) -> None:
    slot = plugged(stage)
    for _ in range(2):
        module_in(slot).obey(order(stage, 2, 7, 70_00))
    assert slot.card.memory.allowance.debits_max == 7


# key sets ----------------------------------------------------------------------------------------


NEW_MASTER = bytes([0x77]) * 32


def with_new_set(stage: Stage, card: StageCard) -> tuple[Slot, DebitKeys]:
    """A module that holds key set 2 too, and the card's keys under it."""
    slot = plugged(stage)
    slot.card.memory.masters[ISSUER, 2] = NEW_MASTER
    return slot, DebitKeys.derive(NEW_MASTER, replace(card.info, key_set=2))


def test_a_card_that_answers_under_another_key_set_is_being_renewed(stage: Stage) -> None:
    card = stage.card()
    slot, new = with_new_set(stage, card)
    purse = card.card.memory.find((0x1200, 0xB001))
    assert purse is not None
    purse.keys[KeyId.DEBIT_RESPONSE] = new.response
    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        Customer(till_with(stage, slot), card.plug()).session().read()
    del slot.card.memory.masters[ISSUER, 2]
    with pytest.raises(AuthenticityError, match="CARD_MAC_BAD"):
        Customer(stage.till(TERMINAL, name="b", module=module_in(slot)), card.plug()).buy(1)


def test_no_update_follows_from_a_record_of_another_key_set(stage: Stage) -> None:
    card = stage.card()
    slot, new = with_new_set(stage, card)
    card.spend_file.records[0] = records.seal_spend(new.record, blank_spend())
    before, till = list(card.spend_file.records), till_with(stage, slot)
    with pytest.raises(PurseRefusedError, match="CARD_BEING_RENEWED"):
        Customer(till, card.plug()).buy(1_00)
    assert card.spend_file.records == before


# legacy chips -------------------------------------------------------------------------------------


def lenient(stage: Stage) -> StageCard:
    """A town that allows legacy chips 20 EUR a sale, and such a card."""
    stage.install(limits=Limits(legacy_sale_cents=20_00))
    return stage.card(mask=WHITE_LEGACY, flags=FLAG_PIN_ENFORCED)


def test_a_legacy_chip_pays_through_a_module_card(stage: Stage) -> None:
    card = lenient(stage)
    till = till_with(stage, plugged(stage))
    assert Customer(till, card.plug()).buy(12_50).goods_are_due
    assert Customer(till, card.plug()).buy(20_00).goods_are_due
    assert_books(card, till)


def test_the_module_itself_keeps_the_limit_of_legacy_chips(stage: Stage) -> None:
    """A till that was taken over and asks for more than it told the module."""
    card, slot = lenient(stage), plugged(stage)
    shop = Customer(till_with(stage, slot), card.plug())
    assert isinstance(shop.card, LegacyCard)
    shop.card._limit_cents = 1_00
    with pytest.raises(AuthenticityError, match="MODULE_LEGACY_LIMIT"):
        shop.buy(1_01)
    assert card.newest().ctr == 0
    assert slot.card.memory.debits == 0


# the module pulled out ---------------------------------------------------------------------------


@pytest.mark.parametrize("acts", [False, True], ids=["before it acts", "after it acted"])
def test_a_module_pulled_at_any_command_leaves_money_that_recovery_settles(
    stage: Stage, acts: bool
) -> None:
    """Every command of a sale in turn; the module comes back, the same sale is settled."""
    number, pulled = 0, True
    while pulled:
        number += 1
        card, slot = stage.card(number=number % 80), plugged(stage)
        till = stage.till(TERMINAL, name=f"till-{acts}-{number}", module=module_in(slot))
        pulled = pulled_at(till, card, slot, number, acts=acts)
        settle(till, card, slot)
    assert number > 12


def pulled_at(till: Till, card: StageCard, slot: Slot, number: int, *, acts: bool) -> bool:
    """One sale with the module pulled at its command ``number``; whether it came to that."""
    slot.pull_at, slot.acts = number, acts
    state = None
    try:
        state = Customer(till, card.plug()).buy(12_50).state
    except PresenceError:
        assert slot.away
    if slot.away and state is not None:
        # Only what the module confirms is known: else the sale is unknown, or done already.
        assert state in (State.UNKNOWN, State.CLOSED)
    assert_books(card, till)
    return slot.away


def settle(till: Till, card: StageCard, slot: Slot) -> None:
    slot.put_back()
    shop = Customer(till, card.plug())
    shop.counter.recovery().settle(shop.card)
    assert not till.journal.views.unsettled()
    assert_books(card, till)
    assert len(committed(till)) == card.newest().ctr
    assert Customer(till, card.plug()).buy(1_00).goods_are_due
    assert_books(card, till)


def test_a_module_gone_after_the_update_left_is_no_answer_about_the_purse(stage: Stage) -> None:
    """Failure case 27: the card is debited, the module that should confirm it is not there."""
    card, slot = stage.card(), plugged(stage)
    till = till_with(stage, slot)
    shop = Customer(till, card.plug())
    unplugged_after_update(shop, slot)
    result = shop.buy(12_50)
    assert (result.state, result.closing) == (State.UNKNOWN, None)
    assert card.newest().ctr == 1
    assert codes(till) == ["grant_seen", "intent"]
    slot.put_back()
    shop = Customer(till, card.plug())
    (settled,) = shop.counter.recovery().settle(shop.card)
    assert settled.conclusion.verdict is Verdict.COMMITTED
    assert codes(till)[-1] == "recovered"
    assert_books(card, till)


def unplugged_after_update(shop: Customer, slot: Slot) -> None:
    real = shop.connection.transmit

    def transmit(apdu: bytes) -> bytes:
        answer = real(apdu)
        if apdu[1] == UPDATE:
            slot.pull_at = 1
        return answer

    shop.connection.transmit = transmit  # type: ignore[method-assign]


def test_recovery_waits_for_the_module(stage: Stage) -> None:
    card, slot = stage.card(), plugged(stage)
    till = till_with(stage, slot)
    assert Customer(till, TearAfter(card.plug(), nth(1, UPDATE))).buy(5_00).state is State.UNKNOWN
    slot.away = True
    shop = Customer(till, card.plug())
    with pytest.raises(ModuleGoneError):
        shop.counter.recovery().settle(shop.card)
    assert till.journal.views.open_intent() is not None
    slot.put_back()
    shop.counter.recovery().settle(shop.card)
    assert codes(till)[-1] == "recovered"


def test_another_module_is_never_taken(stage: Stage) -> None:
    slot = plugged(stage)
    till, card = till_with(stage, slot), stage.card()
    slot.card.memory.signing_seed = bytes(32)
    with pytest.raises(ModuleRefusedError, match="MODULE_OTHER"):
        Customer(till, card.plug()).buy(1_00)
    assert card.newest().ctr == 0


# the module's PIN --------------------------------------------------------------------------------


def test_a_wrong_module_pin_is_tried_once(stage: Stage) -> None:
    slot = plugged(stage)
    module = module_in(slot, "wrong-pin")
    for _ in range(3):
        with pytest.raises(ModuleRefusedError, match="MODULE_PIN_WRONG") as refused:
            module.sign_request(b'"@method": GET')
        assert refused.value.facts == {"tries_left": 4}
    assert slot.card.memory.pin.tries_left == 4


def test_a_blocked_module_is_opened_by_its_puk(stage: Stage) -> None:
    slot = plugged(stage)
    for _ in range(4):
        with pytest.raises(ModuleRefusedError, match="MODULE_PIN_WRONG"):
            module_in(slot, "wrong-pin").check_pin()
    with pytest.raises(ModuleRefusedError, match="MODULE_BLOCKED"):
        module_in(slot, "wrong-pin").check_pin()
    module = module_in(slot)
    with pytest.raises(ModuleRefusedError, match="MODULE_BLOCKED"):
        module.check_pin()
    module.unblock("module-puk", "new-pin")
    module.check_pin()
    with pytest.raises(ModuleRefusedError, match="MODULE_PIN_WRONG"):
        module_in(slot).check_pin()
