"""Cards on the shelf, in a slot, behind faults, and what whoever watches is told."""

from pathlib import Path

import pytest

from cardlib.channel import Channel
from cardlib.dialogues.inspect import inspect_card
from cardlib.errors import CardGoneError, CardMissingError
from cardlib.trace.wording import short
from simulator import training, wallets
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, WHITE, WHITE_APPLET
from simulator.card.randomness import SeededRandomness
from simulator.card_keys import CardKeys, read_debit_masters
from simulator.errors import FaultError, ImageError
from simulator.shelf import Shelf
from simulator.slot import Inserted, Removed, Slot, SlotEvent, Spoken, WasReset
from simulator.timing import VirtualClock
from simulator.training import TrainingWallet
from tests.unit.simulator.host import Host, verify

SELECT_PURSE = bytes.fromhex("00A4080C041200B001")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf", SeededRandomness("shelf"))


@pytest.fixture
def events() -> list[SlotEvent]:
    return []


@pytest.fixture
def slot(events: list[SlotEvent]) -> Slot:
    return Slot(1, VirtualClock(), watcher=events.append)


def insert(slot: Slot, shelf: Shelf, name: str = "anna") -> VirtualCard:
    shelf.new_card(name, WHITE)
    card = shelf.take(name)
    assert isinstance(card, VirtualCard)
    slot.insert(name, card)
    return card


def told(events: list[SlotEvent]) -> list[str]:
    return [short(event.decoded, "en") for event in events if isinstance(event, Spoken)]


def test_new_cards_stand_on_the_shelf_by_name_and_survive_in_their_files(shelf: Shelf) -> None:
    shelf.new_card("bruno", CRS_STINCARD)
    shelf.new_card("anna", WHITE)
    (shelf.folder / "broken.card").write_text("{}")
    (shelf.folder / "notes.txt").write_text("no card")
    (shelf.folder / "notes.json").write_text("{}")
    (shelf.folder / "old.json").write_bytes((shelf.folder / "anna.card").read_bytes())
    seen = [(card.name, card.mask, card.trouble) for card in shelf.cards()]
    assert seen == [
        ("anna", WHITE, ""),
        ("broken", "", "CARD_IMAGE_UNREADABLE"),
        ("bruno", CRS_STINCARD, ""),
        ("old.json", WHITE, ""),
    ]
    for name in ("anna", "old.json"):
        assert shelf.take(name).memory.serial == shelf.cards()[0].serial
    with pytest.raises(ImageError):
        shelf.new_card("anna", WHITE)
    with pytest.raises(ImageError):
        shelf.new_card("../anna", WHITE)


def test_a_training_purse_takes_its_pin_and_shows_its_wallets(slot: Slot, shelf: Shelf) -> None:
    card = insert(slot, shelf)
    host = Host(slot)
    host.select_purse()
    assert host.status(verify(training.PIN)) == "9000"
    purse = card.memory.find((0x1200, 0xB001))
    assert purse is not None
    keys = CardKeys().of_purse(purse)
    assert keys is not None
    assert keys.record is not None
    shown = wallets.wallets(purse, keys.record)
    balances = [(item.slot, str(item.balance)) for item in shown]
    assert balances == [
        (1, "100.00 EUR"),
        (2, "40.00 EUR"),
    ]


def test_an_applet_card_reads_with_the_key_that_is_on_it(shelf: Shelf) -> None:
    shelf.new_card("applet", WHITE_APPLET, (TrainingWallet(5_00),))
    memory = VirtualCard.load(shelf.path("applet"), SeededRandomness("applet")).memory
    keys = CardKeys().of_card(memory, 0xB001)
    assert keys is not None
    assert keys.record is not None


def test_without_masters_a_foreign_purse_keeps_its_amounts(tmp_path: Path) -> None:
    from tests.unit.simulator.host import purse_memory

    keys = CardKeys().of_card(purse_memory(), 0xB001)
    assert keys is not None
    assert keys.record is None
    path = tmp_path / "keys.json"
    path.write_text('{"debit": ["00"]}')
    with pytest.raises(ImageError):
        read_debit_masters(path)


def test_the_watcher_is_told_what_happens_in_words(
    slot: Slot, shelf: Shelf, events: list[SlotEvent]
) -> None:
    insert(slot, shelf)
    Channel(slot).run(inspect_card())
    slot.remove()
    assert events[0] == Inserted(1, "anna")
    assert events[-1] == Removed(1, "anna")
    assert "SELECT: DF.BUONO 1" in told(events)


def test_an_empty_slot_has_no_card(slot: Slot) -> None:
    with pytest.raises(CardMissingError):
        slot.transmit(SELECT_PURSE)
    with pytest.raises(CardMissingError):
        _ = slot.atr
    slot.close()
    slot.remove()


def test_a_torn_card_is_out_until_it_is_put_back(
    slot: Slot, shelf: Shelf, events: list[SlotEvent]
) -> None:
    insert(slot, shelf)
    slot.arm("tear-after:1")
    with pytest.raises(CardGoneError):
        slot.transmit(SELECT_PURSE)
    with pytest.raises(CardGoneError):
        slot.transmit(SELECT_PURSE)
    assert events.count(Removed(1, "anna")) == 1
    slot.close()
    slot.put_back()
    assert isinstance(events[-1], WasReset)
    assert slot.transmit(SELECT_PURSE) == b"\x90\x00"


def test_faults_stay_with_the_slot_until_they_are_taken_away(slot: Slot, shelf: Shelf) -> None:
    slot.arm("blocked-pin")
    insert(slot, shelf)
    host = Host(slot)
    host.select_purse()
    assert host.status(verify(training.PIN)) == "6983"
    insert(slot, shelf, "bruno")
    host.select_purse()
    assert host.status(verify(training.PIN)) == "6983"
    slot.disarm()
    assert host.status(verify(training.PIN)) == "9000"
    with pytest.raises(FaultError):
        slot.arm("hurricane")


def test_one_fault_taken_away_leaves_the_others_where_they_were(slot: Slot, shelf: Shelf) -> None:
    insert(slot, shelf)
    for fault in ("forged-map:FF", "blocked-pin", "stale-read:1"):
        slot.arm(fault)
    slot.disarm("blocked-pin")
    host = Host(slot)
    host.select_purse()
    assert host.expect("00B0810011")[-1] == 0xFF
    assert host.status(verify(training.PIN)) == "9000"
    assert [fault.text for fault in slot.faults] == ["forged-map:FF", "stale-read:1"]


def test_a_held_back_command_reaches_the_card_when_it_is_released(
    slot: Slot, shelf: Shelf, events: list[SlotEvent]
) -> None:
    insert(slot, shelf)
    slot.arm("held-back:verify:1")
    host = Host(slot)
    host.select_purse()
    assert host.status(verify("99999")) == "6985"
    assert slot.release() == 1
    assert "tries left 2" in told(events)[-1]
    assert slot.release() == 0
