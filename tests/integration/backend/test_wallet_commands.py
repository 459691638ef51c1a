"""``borsellino backend day-end | marks | block | replace | cases | close-case …``, as typed."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from backend.adapters.pin_letters import FilePinLetters
from backend.commands import cases, days, losses, returns
from backend.commands.options import Openers
from backend.composition import Backend
from backend.services.terminals.bundles import STOP_DAYS
from backend.services.unit_of_work import Work
from tests.integration.backend.books import held
from tests.integration.backend.builders import Town

TWO = ("--by", "Lina", "--approved-by", "Aldo")


class Office:
    """Types commands on the town's installation."""

    def __init__(self, town: Town, folder: Path) -> None:
        backend = Backend(
            work=town.work, keys=town.keys, clock=town.clock, randomness=town.randomness,
            letters=FilePinLetters(folder),
        )  # fmt: skip

        @contextmanager
        def opened(_directory: Path) -> Generator[Backend]:
            yield backend

        @contextmanager
        def books(_directory: Path) -> Generator[Work]:
            yield town.work

        self.app = typer.Typer()
        for module in (days, losses, cases, returns):
            module.add_commands(self.app, Openers(opened, books, opened, town.clock))

    def types(self, *arguments: str) -> Result:
        return CliRunner().invoke(self.app, [*arguments, "--lang", "en"])


@pytest.fixture
def office(town: Town, tmp_path: Path) -> Office:
    return Office(town, tmp_path)


def test_a_day_is_closed_and_marks_are_told(town: Town, office: Office) -> None:
    till = town.till()
    assert "Day closed: 0 expired" in office.types("day-end").stdout
    assert json.loads(office.types("day-end", "--json").stdout)["expired"] == 0
    told = office.types("marks").stdout
    assert "Borgo: complete up to" in told
    assert f"waiting for till {till.number}" in told


def test_a_card_is_blocked_replaced_and_a_till_lost(town: Town, office: Office) -> None:
    chip, new, till = town.chip_with(5_000), town.new_chip(), town.till()
    assert "block 1" in office.types("block", str(chip.purse), "--by", "Lina").stdout
    assert "used again" in office.types("unblock", str(chip.purse), *TWO).stdout
    assert held(town)["on_card"] == 5_000
    office.types("block", str(chip.purse), "--stolen", "--by", "Lina")
    replaced = office.types("replace", str(chip.purse), str(new.purse), *TWO)
    assert "Card replaced" in replaced.stdout
    lost = office.types(
        "lost-terminal", str(till.number), "--since", "2026-09-01T10:00", "--act", "Denuncia", *TWO
    )
    assert f"Terminal {till.number} is recorded as lost" in lost.stdout
    wrong = office.types("lost-terminal", "1", "--since", "soon", "--act", "x", *TWO)
    assert (wrong.exit_code, "TIME_BAD" in wrong.output) != (0, False)


def test_a_case_is_listed_and_closed_by_two(town: Town, office: Office) -> None:
    chip, till = town.chip_with(5_000), town.till()
    assert "No case waits" in office.types("cases").stdout
    till.sell(chip, 700, tc=False)
    till.sync()
    assert "not proven this sale yet" in office.types("cases").stdout
    assert json.loads(office.types("cases", "--json").stdout)[0]["cents"] == 700
    closed = office.types("close-case", "1", "release", "--act", "DD 9", *TWO)
    assert "Case 1 closed: €7.00" in closed.stdout or "7.00" in closed.stdout
    assert held(town)["on_card"] == 5_000
    refused = office.types("refund", str(till.number), "2", *TWO)
    assert refused.exit_code == 1


def test_goods_come_back_and_are_listed(town: Town, office: Office) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.sell(chip, 700)
    till.sync()
    assert office.types("returns").stdout == "No returns.\n"
    slip = (str(till.number), "2", "200", "--act", "slip 1", *TWO)
    agreed = office.types("return", *slip).stdout
    assert agreed == (
        f"Return 1: {till.number}:2, 2.00 EUR, order 2, the next batch takes it off\n"
    )
    assert office.types("returns").stdout == agreed
    (listed,) = json.loads(office.types("returns", "--json").stdout)
    assert (listed["cents"], listed["repaid_ref"]) == (200, None)
    refused = office.types("repaid", "1", "--reference", "TRN 1", "--by", "Lina")
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, "RETURN_NOT_PAID")
    refused = office.types("return-again", "1", *TWO)
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, "REFUND_NOTHING_DUE")


def test_a_sale_whose_end_a_till_does_not_tell_raises_an_alarm(town: Town, office: Office) -> None:
    chip, till = town.chip_with(5_000), town.till()
    assert office.types("alarms").stdout == "No alarms.\n"
    till.begin(chip, 700)
    till.sync()
    town.clock.seconds += STOP_DAYS * 86_400
    assert json.loads(office.types("day-end", "--json").stdout)["intents_open"] == 0
    town.clock.seconds += 1
    assert "1 sales without an end" in office.types("day-end").stdout
    assert json.loads(office.types("day-end", "--json").stdout)["intents_open"] == 0
    told = office.types("alarms").stdout
    assert f"INTENT_OPEN_LONG (intent {till.number}:1): Till {till.number} began sale 1" in told
    (alarm,) = json.loads(office.types("alarms", "--json").stdout)
    assert (alarm["code"], alarm["terminal"]) == ("INTENT_OPEN_LONG", till.number)


def test_a_lost_tills_open_sale_is_nobodys_to_wait_for(town: Town, office: Office) -> None:
    chip, till = town.chip_with(5_000), town.till()
    till.begin(chip, 700)
    till.sync()
    act = ("--since", "2026-03-02T10:00", "--act", "x", *TWO)
    assert office.types("lost-terminal", str(till.number), *act).exit_code == 0
    town.clock.seconds += STOP_DAYS * 86_400 + 1
    assert json.loads(office.types("day-end", "--json").stdout)["intents_open"] == 0
