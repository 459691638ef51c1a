"""The panel's slots in real virtual readers: other programs read, the panel shows it."""

import asyncio
import sys
from pathlib import Path

import pytest

from simulator.card.masks import WHITE
from simulator.card.randomness import SeededRandomness
from simulator.private_pcscd import PrivatePcscd
from simulator.shelf import Shelf
from simulator.slot import Slot
from simulator.timing import VirtualClock
from tests.integration.simulator_panel.bystander import before_the_panel
from tests.real_stack.pcscd import Tool, await_card, await_empty

pytestmark = pytest.mark.pcsc


async def test_another_program_s_commands_run_along_on_the_panel(
    pcscd: PrivatePcscd, tool: Tool, tmp_path: Path
) -> None:
    Shelf(tmp_path, SeededRandomness("panel")).new_card("anna", WHITE)
    slot = Slot(1, VirtualClock(), address=("127.0.0.1", pcscd.port))
    async with before_the_panel(tmp_path, slots=(slot,)) as bystander:
        await bystander.press("1")
        await asyncio.to_thread(await_card, tool)
        told = await asyncio.to_thread(
            tool, sys.executable, "-m", "borsellino", "card", "info", "--reader",
            pcscd.reader_name(0), "--lang", "en",
        )  # fmt: skip
        assert "issuer 000000" in told.stdout.decode(), told.stderr.decode()
        await bystander.until("1 SELECT: DF.BUONO 1", "the chip demands the PIN")
        await bystander.press("1")
        await bystander.until("Slot 1: anna is out")
    await asyncio.to_thread(await_empty, tool)
