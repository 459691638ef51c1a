"""The panel after a sale, and after the card was torn in the middle of the next one."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from cardlib.codec.pin import Pin
from cardlib.errors import CardlibError
from cardlib.wire.money import Money
from simulator.card import image
from simulator.card.masks import CRS_STINCARD, WHITE_APPLET
from simulator.card.randomness import SeededRandomness
from simulator.card.store import FileStore
from simulator.card_keys import CardKeys
from simulator.shelf import Shelf
from simulator.slot import Slot
from terminal.counter import Counter
from terminal.sale.offer import Item
from tests.integration.simulator_panel.bystander import Bystander, before_the_panel
from tests.integration.terminal.stage import FOOD, HYGIENE, PIN, Stage, WalletSpec
from tests.pictures.svg import svg_of

SIZE = (110, 32)


def pictures() -> dict[str, str]:
    """In English: developers of card software are everywhere."""
    return {"panel.svg": asyncio.run(_torn())}


async def _torn() -> str:
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "shop")
        shelf = _shelf(Path(folder) / "cards", stage)
        keys = CardKeys((stage.masters.debit,))
        with stage.open_tills:
            async with before_the_panel(shelf, keys=keys, size=SIZE) as bystander:
                counter = Counter(stage.till())
                await bystander.press("1")
                await _sell(bystander, counter, 12_50)
                await bystander.press("t")
                await _sell(bystander, counter, 3_00)
                await bystander.until("torn at next write (struck)", "Slot 1: anna is out")
                return svg_of(bystander.app)


def _shelf(folder: Path, stage: Stage) -> Path:
    folder.mkdir()
    wallets = (
        WalletSpec(granted=80_00),
        WalletSpec(slot=2, grant_seq=2, granted=15_50, categories=(HYGIENE,), programme=13),
    )
    FileStore(folder / "anna.card").save(image.encode(stage.card(*wallets).card.memory))
    shelf = Shelf(folder, SeededRandomness("picture"))
    shelf.new_card("bruno", CRS_STINCARD)
    shelf.new_card("carla", WHITE_APPLET)
    return folder


async def _sell(bystander: Bystander, counter: Counter, cents: int) -> None:
    await asyncio.to_thread(_sale, bystander.slots[0], counter, cents)
    await bystander.settle()


def _sale(slot: Slot, counter: Counter, cents: int) -> None:
    try:
        with counter.sale(counter.card(slot)) as sale:
            sale.read()
            sale.basket([Item(FOOD, Money(cents))])
            sale.agree(Pin(PIN))
            sale.commit()
            sale.finish()
    except CardlibError:
        pass
