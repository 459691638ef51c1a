"""What somebody who tests cards sees and does on the panel."""

import asyncio
from pathlib import Path

import pytest

from simulator import training
from simulator.card.card import VirtualCard
from simulator.card.masks import WHITE
from simulator.card.randomness import SeededRandomness
from simulator.modules import create_module
from simulator.shelf import Shelf
from tests.integration.simulator_panel.bystander import Bystander, before_the_panel
from tests.unit.simulator.host import Host, verify


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shelf = Shelf(tmp_path, SeededRandomness("cards"))
    for name in ("anna", "bruno"):
        shelf.new_card(name, WHITE)
    return tmp_path


async def ask(bystander: Bystander, slot: int, *apdus: str | bytes) -> list[str]:
    """What a program gets that sends these commands to a slot; status words only."""
    host = Host(bystander.slots[slot - 1])
    answers = [await asyncio.to_thread(host.status, apdu) for apdu in apdus]
    await bystander.settle()
    return answers


SELECT_PURSE = "00A4080C041200B001"


async def test_the_shelf_shows_the_cards_and_the_selected_one_s_wallets(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.until("anna white", "bruno white", "Card anna")
        await bystander.until("wallet 1: 100.00 EUR of 100.00 EUR, programme 1, to 2035-12-31")
        await bystander.press("down")
        await bystander.until("Card bruno")


async def test_one_key_puts_a_card_in_and_takes_it_out(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1")
        await bystander.until("[1] anna", "Slot 1: anna is in", "▸1 anna")
        await bystander.press("down", "1")
        await bystander.until("Slot 1: anna is out", "Slot 1: bruno is in", "[1] bruno")
        await bystander.press("1")
        await bystander.until("Slot 1: bruno is out")
        assert bystander.slots[0].card is None


async def test_a_card_is_in_one_slot_at_a_time(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1")
        await bystander.press("2")
        assert [slot.card_name for slot in bystander.slots] == [None, "anna"]


async def test_the_trace_runs_along_and_never_shows_the_pin(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1")
        assert await ask(bystander, 1, SELECT_PURSE, verify(training.PIN)) == ["9000", "9000"]
        await bystander.until("1 SELECT: DF.BUONO 1", "1 VERIFY: PIN of the purse")
        await bystander.press("e")
        await bystander.until("Trace (expanded)", "> 00 20 00 9C 08 FF FF FF FF FF FF FF")
        assert training.PIN.encode().hex(" ") not in bystander.words
        await bystander.press("c")
        assert "VERIFY" not in bystander.words


async def test_tries_are_followed_live(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1")
        await ask(bystander, 1, SELECT_PURSE, verify("99999"))
        await bystander.until("PIN/PUK tries 2/10")


@pytest.mark.parametrize(
    ("key", "armed", "apdus", "answers"),
    [
        ("b", "PIN blocked", [SELECT_PURSE, verify(training.PIN)], ["9000", "6983"]),
        ("p", "PIN wedge", [SELECT_PURSE, verify("99999")], ["9000", "9000"]),
        ("6", "6581 at next write", [SELECT_PURSE, "0CD6810000"], ["9000", "6581"]),
        ("h", "write held back", [SELECT_PURSE, "0CD6810000"], ["9000", "6985"]),
    ],
)
async def test_one_key_faults_strike_and_go_with_0(
    folder: Path, key: str, armed: str, apdus: list[str | bytes], answers: list[str]
) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1", key)
        await bystander.until(armed)
        assert await ask(bystander, 1, *apdus) == answers
        await bystander.press("0")
        assert "no faults" in bystander.words
        assert bystander.slots[0].faults == []


async def test_a_tear_takes_the_card_out_before_everybody_s_eyes(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1", "m", "t")
        await bystander.until("mute, torn at next write")
        await bystander.press("m")
        await bystander.press("r")
        await bystander.until("torn at next write", "DF.BUONO 2; 6A82 not found")
        await bystander.press("t", "m", "r")
        await bystander.until("mute (struck)", "SELECT: no answer", "CARD_GONE")


async def test_a_held_back_write_is_released_by_key_and_reaches_the_card(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1", "h")
        await ask(bystander, 1, SELECT_PURSE, "0CD6810000")
        await bystander.press("l")
        await bystander.until("UPDATE BINARY EF.INFO", "6985 not now")
        await bystander.press("l")
        await bystander.until("NOTHING_HELD_BACK")


async def test_a_new_card_is_made_by_keys(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("n")
        await bystander.until("New training card", "Name", "Kind")
        await bystander.press("enter", "enter")
        await bystander.until("card-1 white", "Card card-1")
        made = VirtualCard.load(folder / "card-1.card", SeededRandomness("x"))
        assert made.memory.mask == WHITE


async def test_a_broken_image_is_called_unreadable(folder: Path) -> None:
    (folder / "aaa.card").write_text("{}")
    async with before_the_panel(folder) as bystander:
        await bystander.until("aaa unreadable", "No card selected.")
        await bystander.press("1")
        await bystander.until("CARD_IMAGE_UNREADABLE")


async def test_help_names_every_key_in_italian_too(folder: Path) -> None:
    async with before_the_panel(folder, lang="it") as bystander:
        await bystander.press("question_mark")
        await bystander.until("Tasti", "PIN aggirato", "record vecchi", "aiuto", "Esc chiude")
        await bystander.press("escape")
        await bystander.until("Carte e fessure", "Traccia (breve)")


async def test_the_files_of_a_card_are_a_key_away(folder: Path) -> None:
    async with before_the_panel(folder, size=(120, 40)) as bystander:
        await bystander.press("f")
        await bystander.until("3F00/1200/B001", "EF.SPEND")


async def test_an_empty_shelf_is_no_trouble(tmp_path: Path) -> None:
    async with before_the_panel(tmp_path / "nothing") as bystander:
        await bystander.press("1", "t", "r", "l")
        await bystander.until("No card selected.", "CARD_MISSING")


async def test_a_module_card_goes_into_the_second_slot(folder: Path) -> None:
    create_module(folder / "till.card", SeededRandomness("module"))
    async with before_the_panel(folder) as bystander:
        await bystander.until("till module")
        await bystander.press("down", "down", "2")
        await bystander.until("[2] till", "Slot 2: till is in", "Card till")
        assert await ask(bystander, 2, "00A40000023F00") != []
        await bystander.press("f", "2")
        await bystander.until("Slot 2: till is out")


@pytest.mark.parametrize("lang", ["en", "it"])
async def test_the_keys_fit_into_the_lowest_lines_of_the_smallest_screen(
    folder: Path, lang: str
) -> None:
    async with before_the_panel(folder, lang=lang) as bystander:
        lowest = bystander.text.splitlines()[-2:]
        assert lowest[0].strip().startswith("1 ")
        assert lowest[1].strip().endswith({"en": "q quit", "it": "q esci"}[lang])


async def test_all_faults_at_once_leave_both_slots_in_view(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1", "t", "s", "w", "6", "b", "i", "o", "h", "p")
        await bystander.until("faults t s w 6 b i o h p", "2 empty", "no faults")
        await ask(bystander, 1, SELECT_PURSE)
        await bystander.until("faults t s w 6 b i (o) h p", "2 empty", "no faults")


async def test_kinds_and_files_are_told_in_italian(folder: Path) -> None:
    async with before_the_panel(folder, lang="it", size=(120, 60)) as bystander:
        await bystander.press("n")
        await bystander.until("la carta del Comune: EF.GDO e DF2", "TS-CNS Friuli V. G., STIncard")
        await bystander.press("escape", "f")
        await bystander.until("lineare fisso", "record 1: apertura del borsellino, numero 0")


async def test_the_trace_breaks_its_lines_anew_on_a_wider_screen(folder: Path) -> None:
    async with before_the_panel(folder) as bystander:
        await bystander.press("1", "r")
        name = "1 SELECT: EF_ID_CARTA; 6A82 not found"
        await bystander.pilot.resize_terminal(60, 24)
        await bystander.settle()
        assert name not in bystander.text
        await bystander.pilot.resize_terminal(100, 24)
        await bystander.settle()
        assert name in bystander.text
