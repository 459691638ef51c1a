"""The till at the moment at which the customer agrees: two vouchers, something left to pay."""

import asyncio
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from cardlib.wire.bundle import Limits, Programme
from terminal.ui.steps import UiStep
from tests.integration.terminal.stage import HYGIENE, ISSUER, MEDICINE, Stage, WalletSpec
from tests.integration.terminal_ui.cashier import Cashier, at_the_till
from tests.integration.terminal_ui.reader import Reader
from tests.pictures.svg import svg_of

NAMES = {"en": "till.svg", "it": "till-it.svg"}
DAY_S = 86_400


def pictures() -> dict[str, str]:
    """In English and in Italian."""
    return {name: asyncio.run(_agreeing(lang)) for lang, name in NAMES.items()}


async def _agreeing(lang: str) -> str:
    with TemporaryDirectory() as folder:
        stage, reader = _stage(Path(folder)), Reader()
        with stage.open_tills:
            till = stage.till()
            stage.clock.sleep(2 * DAY_S)
            async with at_the_till(till, reader, lang) as cashier:
                await _buy_to_offer(cashier, stage)
                return svg_of(cashier.app)


def _stage(folder: Path) -> Stage:
    stage = Stage(folder)
    stage.install(
        limits=Limits(offline_days_warn=5, offline_days_stop=7),
        programmes=(
            Programme(ISSUER, 12, "Buono spesa 2026"),
            Programme(ISSUER, 13, "Bonus igiene e farmaci"),
        ),
    )
    return stage


async def _buy_to_offer(cashier: Cashier, stage: Stage) -> None:
    cashier.reader.insert(
        stage.card(
            WalletSpec(granted=80_00),
            WalletSpec(
                slot=2,
                grant_seq=2,
                granted=15_50,
                categories=(HYGIENE, MEDICINE),
                programme=13,
                valid_to=date(2026, 10, 31),
            ),
        )
    )
    await cashier.until(UiStep.AMOUNTS)
    for category, cents in (("f1", 12_50), ("f2", 18_40), ("f4", 3_20)):
        await cashier.press(category)
        await cashier.type_amount(cents)
    await cashier.press("enter")
    await cashier.until(UiStep.OFFER)
