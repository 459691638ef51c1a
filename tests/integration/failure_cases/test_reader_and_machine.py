"""Cases 21 to 28 in the process: the reader, the service, the module, the machine.

``tests/real_stack/test_failure_cases.py`` has those that the real pcscd can be made to do.
"""

import pytest

from cardlib.codec.apdu import Response
from cardlib.codec.pin import Pin
from cardlib.errors import (
    CardGoneError,
    CardlibError,
    PresenceError,
    ReaderMissingError,
    ServiceMissingError,
)
from cardlib.keys.module import ModuleSession
from simulator.faults import nth
from terminal.sale.states import State
from tests.integration.failure_cases.scene import MSE, PRICE, UPDATE, VERIFY, Scene, shown_code
from tests.integration.failure_cases.shims import Lost, Silent, Suspended
from tests.integration.terminal.stage import PIN, codes, committed

GONE: list[PresenceError] = [ReaderMissingError(reader="Reader 00"), ServiceMissingError()]
NAMES = ["reader", "service"]
NIGHT_S = 8 * 3600


def lost_before_the_debit(scene: Scene, error: PresenceError) -> None:
    for number in range(1, 7):
        reader = Lost(scene.card.plug(), nth(number), error)
        assert shown_code(scene.customer(reader).session().read) == error.code
    sale = scene.shown(Lost(scene.card.plug(), nth(1, VERIFY), error))
    assert shown_code(lambda: sale.agree(Pin(PIN))) == error.code
    assert (sale.state, scene.journal) == (State.IDLE, [])
    scene.goes_on(0)


def lost_in_the_debit(scene: Scene, error: PresenceError, *, acted: bool) -> None:
    """The same till, and the same card in what is another reader by now."""
    reader = Lost(scene.card.plug(), nth(1, UPDATE), error, acted=acted)
    shop = scene.customer(reader)
    sale = scene.agreed(reader)
    assert sale.commit().state is State.UNKNOWN
    assert shown_code(sale.resolve) == error.code
    again = shop.counter.card(scene.card.plug())
    result = sale.resolve(again)
    if acted:
        assert result.goods_are_due
    else:
        assert result.may_retry
        assert sale.retry(Pin(PIN)).goods_are_due
    sale.finish()
    scene.goes_on(PRICE)


@pytest.mark.parametrize("acted", [False, True])
def test_case_21_reader_unplugged_in_the_debit_and_back_under_another_name(
    scene: Scene, acted: bool
) -> None:
    lost_in_the_debit(scene, GONE[0], acted=acted)


def test_case_21_reader_unplugged_before_the_debit(scene: Scene) -> None:
    lost_before_the_debit(scene, GONE[0])


@pytest.mark.parametrize("error", GONE, ids=NAMES)
def test_case_21_reader_or_service_gone_after_the_debit_the_sale_stands(
    scene: Scene, error: PresenceError
) -> None:
    reader = Lost(scene.card.plug(), nth(1, MSE), error)
    with scene.agreed(reader) as sale:
        assert sale.commit().goods_are_due
        sale.finish()
    assert committed(scene.till)[0].tc is None
    scene.goes_on(PRICE)


@pytest.mark.parametrize("acted", [False, True])
def test_case_22_service_killed_in_the_debit_and_restarted(scene: Scene, acted: bool) -> None:
    lost_in_the_debit(scene, GONE[1], acted=acted)


def test_case_22_service_killed_before_the_debit(scene: Scene) -> None:
    lost_before_the_debit(scene, GONE[1])


@pytest.mark.parametrize("error", GONE, ids=NAMES)
def test_case_22_service_killed_in_recovery_loses_no_finding(
    scene: Scene, error: PresenceError
) -> None:
    """What recovery has written is told, although the reader went before its last reset."""
    sale = scene.agreed(Lost(scene.card.plug(), nth(1, UPDATE), error, acted=True))
    assert sale.commit().state is State.UNKNOWN
    reader = Lost(scene.card.plug(), nth(1, MSE), error)
    shop = scene.customer(reader)
    (settled,) = shop.counter.recovery().settle(shop.card)
    assert settled.conclusion.code == "RECOVERY_COMMITTED"
    scene.goes_on(PRICE)


@pytest.mark.parametrize("where", [VERIFY, UPDATE])
def test_case_25_usb_hangs_for_30_s(scene: Scene, where: int) -> None:
    """The peer is silent; the time limit makes of it a card that has gone."""
    reader = Silent(scene.card.plug(), nth(1, where), scene.stage.clock)
    if where == VERIFY:
        sale = scene.shown(reader)
        assert shown_code(lambda: sale.agree(Pin(PIN))) == "CARD_RESET"
        sale.agree(Pin(PIN))  # the same records: the agreement stands
        assert sale.commit().goods_are_due
    else:
        sale = scene.agreed(reader)
        assert sale.commit().state is State.UNKNOWN
        assert sale.resolve().goods_are_due
    scene.goes_on(PRICE)


def test_case_27_module_removed_after_the_card_has_committed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left to check the answer's MAC: the outcome is unknown, and not *not sent*."""
    sale = scene.agreed()
    with monkeypatch.context() as patch:
        remove_module(scene, patch)
        assert sale.commit().state is State.UNKNOWN
        assert codes(scene.till)[-1] == "intent"
        assert shown_code(sale.resolve) == "CARD_GONE"
        assert sale.state is State.UNKNOWN
    assert sale.resolve().goods_are_due
    assert committed(scene.till)[0].tc is not None
    scene.goes_on(PRICE)


def remove_module(scene: Scene, patch: pytest.MonkeyPatch) -> None:
    """From now on the module's slot is empty."""

    def gone(*_: object) -> ModuleSession:
        raise CardGoneError

    module = scene.till.module
    session_type = type(module.open(scene.card.info, bytes(8)))
    patch.setattr(session_type, "update_confirmed", gone)
    patch.setattr(type(module), "open", gone)


def test_case_27_module_hangs_over_the_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_session: object, _answer: Response) -> bool:
        scene.stage.clock.sleep(30)
        raise CardlibError("CARD_GONE")

    sale = scene.agreed()
    session_type = type(scene.till.module.open(scene.card.info, bytes(8)))
    with monkeypatch.context() as patch:
        patch.setattr(session_type, "update_confirmed", silent)
        assert sale.commit().state is State.UNKNOWN
    assert sale.resolve().goods_are_due
    scene.goes_on(PRICE)


def test_case_28_suspended_before_the_pin(scene: Scene) -> None:
    """A nap of ten minutes: the card was reset, the same records are there, PIN again."""
    reader = Suspended(scene.card.plug(), nth(1, VERIFY), scene.stage.clock, 600)
    sale = scene.shown(reader)
    assert shown_code(lambda: sale.agree(Pin(PIN))) == "CARD_RESET"
    sale.agree(Pin(PIN))
    assert sale.commit().goods_are_due
    scene.goes_on(PRICE)


def test_case_28_suspended_in_the_debit(scene: Scene) -> None:
    """The card lost challenge and PIN: the UPDATE that wakes up with it is refused."""
    reader = Suspended(scene.card.plug(), nth(1, UPDATE), scene.stage.clock, 600)
    sale = scene.agreed(reader)
    assert sale.commit().state is State.UNKNOWN
    assert sale.resolve().may_retry
    assert sale.retry(Pin(PIN)).goods_are_due
    scene.goes_on(PRICE)


def test_case_28_suspended_over_night_the_clock_is_in_doubt_until_confirmed(scene: Scene) -> None:
    assert scene.customer().buy(PRICE).goods_are_due
    reader = Suspended(scene.card.plug(), nth(1, UPDATE), scene.stage.clock, NIGHT_S)
    sale = scene.agreed(reader)
    assert sale.commit().state is State.UNKNOWN
    assert sale.resolve().conclusion is not None
    sale.give_up()
    assert codes(scene.till)[-1] == "not_applied declined"
    assert shown_code(scene.customer().session().read) == "CLOCK_JUMPED"
    scene.stage.clock.turn(-NIGHT_S)  # as a synchronisation or a reboot would have it
    scene.goes_on(PRICE)


def test_case_28_woken_between_two_customers_the_till_asks_for_its_time(scene: Scene) -> None:
    assert scene.customer().buy(PRICE).goods_are_due
    scene.stage.clock.turn(NIGHT_S)
    assert shown_code(scene.customer().session().read) == "CLOCK_JUMPED"
    scene.holds(PRICE)
    scene.stage.clock.turn(-NIGHT_S)  # as a synchronisation or a reboot would have it
    scene.goes_on(PRICE)
