"""The doctor at an enrolled till whose passphrase the environment names."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from simulator.card import image
from terminal.doctor import doctor
from tests.integration.terminal.stage import Stage
from tests.integration.terminal.test_pay import Enrolled, enrolled, run

__all__ = ["enrolled"]


def examined(enrolled: Enrolled, card: Path, **environment: str) -> dict[str, tuple[bool, str]]:
    command = Typer()
    command.command()(doctor)
    result = CliRunner().invoke(
        command,
        ["--card", str(card), "--dir", str(enrolled.directory), "--json"],
        env=enrolled.environment | environment,
    )
    found = json.loads(result.stdout)["findings"]
    return {item["check"]: (item["ok"], item["code"] or item["detail"]) for item in found}


@pytest.fixture
def card(stage: Stage) -> Path:
    path = stage.folder / "card.img"
    path.write_bytes(image.encode(stage.card().card.memory))
    return path


def test_till_journal_disk_and_clock_are_looked_at(enrolled: Enrolled, card: Path) -> None:
    status, _, error = run(enrolled, "journal", "check")
    found = examined(enrolled, card)
    assert {"till", "journal", "disk", "clock", "entries", "purses"} <= found.keys()
    assert all(ok for ok, _ in found.values()), (found, status, error)


def test_a_wrong_passphrase_is_said_and_the_rest_is_looked_at(
    enrolled: Enrolled, card: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one\n")
    found = examined(enrolled, card, BORSELLINO_PASSPHRASE_FILE=str(wrong))
    assert found["entries"] == (False, "PASSPHRASE_WRONG")
    assert found["clock"][0]


def test_a_passphrase_file_that_is_not_there_is_told(enrolled: Enrolled, card: Path) -> None:
    command = Typer()
    command.command()(doctor)
    result = CliRunner().invoke(
        command,
        ["--card", str(card), "--dir", str(enrolled.directory)],
        env=enrolled.environment | {"BORSELLINO_PASSPHRASE_FILE": "/nowhere"},
    )
    assert (result.exit_code, result.stderr.split(":")[0]) == (1, "SECRET_UNREADABLE")
