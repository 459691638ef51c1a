"""Cases 9, 10 and 14 to 20: another card, another till, PIN, keys, records, counters, dates."""

from dataclasses import replace
from datetime import date

import pytest

from cardlib.channel import Channel
from cardlib.codec.files import EF_GRANT
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info
from cardlib.dialogues import pin as pin_dialogues
from cardlib.keys import records
from cardlib.keys.grants import sign_grant
from cardlib.wire.ed25519 import SigningKey
from simulator.faults import AlteredAnswer, Shim, TearAfter, TearBefore, nth
from terminal.sale.states import State
from tests.integration.failure_cases.scene import PRICE, READ_RECORD, UPDATE, Scene, shown_code
from tests.integration.terminal.stage import (
    FOOD,
    PIN,
    PUK,
    Customer,
    Stage,
    StageCard,
    WalletSpec,
    blank_spend,
    committed,
)

WRONG = "99999"
RING = 20


def test_case_09_other_card_inserted_in_recovery(scene: Scene) -> None:
    assert (
        scene.agreed(TearAfter(scene.card.plug(), nth(1, UPDATE))).commit().state is State.UNKNOWN
    )
    other = Scene(scene.stage, scene.stage.card(number=2), scene.till)
    assert shown_code(other.settle) == "RECOVERY_WRONG_CARD"
    assert shown_code(other.customer().session().read) == "INTENT_OPEN"
    assert other.card.newest().ctr == 0
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_COMMITTED"
    scene.goes_on(PRICE)
    other.goes_on(0)


def test_case_09_other_card_inserted_between_pin_and_debit(scene: Scene) -> None:
    """The session's challenge, keys and PIN are the first card's: the other one pays nothing."""
    other = Scene(scene.stage, scene.stage.card(number=2), scene.till)
    reader = Shim(scene.card.plug())
    sale = scene.agreed(reader)
    reader.inner = other.card.plug()
    assert sale.commit().state is State.UNKNOWN
    assert sale.resolve().conclusion is not None
    assert sale.state is State.UNKNOWN
    assert other.card.newest().ctr == 0
    scene.settle()
    scene.goes_on(0)


@pytest.mark.parametrize("applied", [True, False])
def test_case_10_same_card_used_elsewhere_meanwhile(scene: Scene, applied: bool) -> None:
    pull = TearAfter if applied else TearBefore
    sale = scene.agreed(pull(scene.card.plug(), nth(1, UPDATE)))
    assert sale.commit().state is State.UNKNOWN
    elsewhere = scene.stage.till(503)
    for _ in range(3):
        Customer(elsewhere, scene.card.plug()).buy(1_00)
    (settled,) = scene.settle()
    assert settled.conclusion.code == ("RECOVERY_COMMITTED" if applied else "RECOVERY_NOT_APPLIED")
    assert not settled.conclusion.retry
    scene.goes_on(3_00 + PRICE * applied, elsewhere)


def test_case_10_used_elsewhere_until_the_record_rolled_out(scene: Scene) -> None:
    sale = scene.agreed(TearAfter(scene.card.plug(), nth(1, UPDATE)))
    assert sale.commit().state is State.UNKNOWN
    elsewhere = scene.stage.till(503)
    for _ in range(RING + 1):
        Customer(elsewhere, scene.card.plug()).buy(1_00)
    (settled,) = scene.settle()
    assert settled.conclusion.code == "RECOVERY_ROLLED_OUT"
    scene.holds(PRICE + 21_00, elsewhere)
    assert shown_code(scene.customer().session().read) == "PURSE_UNSETTLED"
    assert Customer(elsewhere, scene.card.plug()).buy(1_00).goods_are_due


def test_case_14_pin_wrong_then_right(scene: Scene) -> None:
    for _ in range(2):
        assert shown_code(lambda: scene.customer().buy(PRICE, pin=WRONG)) == "PIN_WRONG"
    scene.goes_on(0)


def test_case_14_pin_blocked_and_unblocked_with_the_puk(scene: Scene) -> None:
    seen = [shown_code(lambda: scene.customer().buy(PRICE, pin=WRONG)) for _ in range(3)]
    assert seen == ["PIN_WRONG", "PIN_WRONG", "PIN_BLOCKED"]
    assert shown_code(lambda: scene.customer().buy(PRICE)) == "PIN_BLOCKED"
    scene.holds(0)
    channel = desk(scene.card)
    assert shown_code(lambda: channel.run(pin_dialogues.unblock(Pin("11111111"), Pin(PIN)))) == (
        "PIN_WRONG"
    )
    channel.run(pin_dialogues.unblock(Pin(PUK), Pin(PIN)))
    scene.goes_on(0)


def test_case_14_puk_blocked(scene: Scene) -> None:
    channel = desk(scene.card)
    seen = [
        shown_code(lambda: channel.run(pin_dialogues.unblock(Pin("11111111"), Pin(WRONG))))
        for _ in range(10)
    ]
    assert seen == ["PIN_WRONG"] * 9 + ["PIN_BLOCKED"]
    assert shown_code(lambda: channel.run(pin_dialogues.unblock(Pin(PUK), Pin(WRONG)))) == (
        "PIN_BLOCKED"
    )
    scene.goes_on(0)  # the PIN itself was never in doubt


def desk(card: StageCard) -> Channel:
    """The purse selected, for the PIN dialogues."""
    channel = Channel(card.plug())
    channel.transmit(bytes.fromhex("00A4080C041200B001"))
    return channel


def test_case_15_key_version_unknown(scene: Scene) -> None:
    info_file = scene.card.card.memory.find((0x1200, 0xB001))
    assert info_file is not None
    file = info_file.file_by_sfi(1)
    assert file is not None
    before = bytes(file.records[0])
    file.records[0] = bytes(replace(scene.card.info, key_set=9))
    assert shown_code(scene.customer().session().read) == "PURSE_NOT_SERVED"
    scene.holds(0)
    file.records[0] = before
    scene.goes_on(0)


@pytest.mark.parametrize("number", [1, 2])
def test_case_16_record_mac_bad(scene: Scene, number: int) -> None:
    """The answer's MAC, of EF.SPEND and of EF.GRANT."""

    def forge(answer: bytes) -> bytes:
        return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]

    reader = AlteredAnswer(scene.card.plug(), nth(number, READ_RECORD), forge)
    assert shown_code(scene.customer(reader).session().read) == "CARD_MAC_BAD"
    assert scene.journal == ["declined CARD_MAC_BAD"]
    scene.goes_on(0)


def test_case_16_record_damaged_at_rest(scene: Scene) -> None:
    """The record's own tag: damage, which is skipped; the record below is the truth."""
    scene.customer().buy(PRICE)
    ring = scene.card.spend_file.records
    torn = bytes((1,)) + (2).to_bytes(3, "big") + bytes(50)
    ring[:] = [torn, *ring[:-1]]
    scene.goes_on(PRICE)


def test_case_17_grant_signature_bad(stage: Stage) -> None:
    """A grant that another key signed, sealed as it should be, beside none that is good."""
    blank = stage.card(number=7)
    forged = sign_grant(SigningKey(bytes([66]) * 32), blank.info.core, WalletSpec().grant())
    sealed = records.seal_grant(blank.keys.debit.record, forged)
    card = stage.card(WalletSpec(record=8, categories=(1,)), number=7, grants={1: sealed})
    scene = Scene(stage, card, stage.till())
    assert shown_code(lambda: scene.customer().buy(PRICE)) == "CATEGORY_NOT_ON_WALLET"
    scene.holds(0)
    directory = card.card.memory.find((0x1200, 0xB001))
    assert directory is not None
    file = next(item for item in directory.files if item.spec.fid == EF_GRANT.fid)
    good = sign_grant(stage.issuer_key, card.info.core, WalletSpec(grant_seq=2).grant())
    file.records[0] = records.seal_grant(card.keys.debit.record, good)
    scene.goes_on(0)


def test_case_17_an_old_grant_that_the_map_still_names_refuses_nobody(stage: Stage) -> None:
    """A load torn before its map: the customer spends from the new grant, at any till, twice."""
    card = stage.card(WalletSpec(record=1), WalletSpec(granted=150_00, grant_seq=2, record=2),
                      record_map=0b01)  # fmt: skip
    scene = Scene(stage, card, stage.till())
    assert scene.customer().buy(120_00).goods_are_due  # more than the old grant had
    scene.goes_on(120_00)


def test_case_18_counter_at_maximum(stage: Stage) -> None:
    card = stage.card(newest=replace(blank_spend(), ctr=0xFFFFFE))
    scene = Scene(stage, card, stage.till())
    assert scene.customer().buy(PRICE).goods_are_due
    assert shown_code(scene.customer().session().read) == "PURSE_FULL"
    scene.holds(PRICE)
    Scene(stage, stage.card(number=2), scene.till).goes_on(0)


def test_case_18_total_at_maximum(stage: Stage) -> None:
    top = 0xFFFFFF
    spent = (top - 50, 0, 0, 0, 0, 0)
    wallet = WalletSpec(granted=top, base_spent=top - 50)
    card = stage.card(wallet, newest=replace(blank_spend(), spent=spent))
    scene = Scene(stage, card, stage.till())
    sale = scene.customer().session()
    (shown,) = sale.read().wallets
    assert shown.balance.cents == 50
    sale.stop()
    assert scene.customer().buy(50).goods_are_due
    scene.holds(top)
    assert shown_code(lambda: scene.customer().buy(1)) == "BALANCE_TOO_LOW"
    Scene(stage, stage.card(number=2), scene.till).goes_on(0)


def test_case_19_cyclic_file_wraps_past_20(scene: Scene) -> None:
    for _ in range(2 * RING + 5):
        assert scene.customer().buy(10).goods_are_due
    ring = [scene.card.keys.debit.record, *scene.card.spend_file.records]
    spends = [records.open_spend(ring[0], bytes(record)) for record in ring[1:]]
    assert [spend.ctr for spend in spends if spend] == list(range(45, 25, -1))
    assert len(committed(scene.till)) == 2 * RING + 5
    scene.goes_on(45 * 10)


def test_case_20_expired_card(stage: Stage) -> None:
    scene = Scene(stage, stage.card(expiry=date(2026, 9, 20)), stage.till())
    assert shown_code(scene.customer().session().read) == "CARD_EXPIRED"
    scene.holds(0)
    Scene(stage, stage.card(number=2), scene.till).goes_on(0)


@pytest.mark.parametrize(
    ("offset", "value", "code"),
    [
        (0, 0x02, "PURSE_UNKNOWN_VERSION"),
        (12, 0xC3, "PURSE_UNKNOWN_SUITE"),
        (12, 0xC0, "PURSE_UNKNOWN_SUITE"),
        (12, 0xD1, "PURSE_UNKNOWN_VERSION"),
        (12, 0xE1, "PURSE_UNKNOWN_VERSION"),
    ],
)
def test_case_20_unknown_scheme_version(scene: Scene, offset: int, value: int, code: str) -> None:
    """Version 2, suites 3 and 0, reserved flags 10 and 20: refused before a key is used."""
    directory = scene.card.card.memory.find((0x1200, 0xB001))
    assert directory is not None
    file = directory.file_by_sfi(1)
    assert file is not None
    before = bytes(file.records[0])
    file.records[0] = before[:offset] + bytes((value,)) + before[offset + 1 :]
    shop = scene.customer()
    assert shown_code(shop.session().read) == code
    assert len(shop.trace) <= 3
    file.records[0] = before
    assert Info.decode(before) == scene.card.info
    assert scene.customer().buy(1, FOOD).goods_are_due
    scene.goes_on(1)
