"""``borsellino doctor --probe`` as a command, on images of virtual cards."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from cardlib.dialogues.probe.probing import NEVER_ASKED, catalogue
from cardlib.text.catalogue import load
from simulator.card import image
from simulator.card.filesystem import Memory
from terminal.doctor import doctor
from tests.unit.cardlib.dialogues.test_probe import training_memory
from tests.unit.simulator.host import purse_memory


@pytest.fixture
def command() -> Typer:
    made = Typer()
    made.command()(doctor)
    return made


def run(command: Typer, path: Path, memory: Memory, *arguments: str) -> Result:
    path.write_bytes(image.encode(memory))
    return CliRunner().invoke(command, ["--probe", "--card", str(path), *arguments])


@pytest.mark.parametrize("lang", ["it", "en"])
def test_every_question_and_every_reason_has_its_words(lang: str) -> None:
    words = load(lang)["probe"]
    asked = [name for _, name, _ in catalogue()]
    assert [name for name in (*asked, *NEVER_ASKED, "card_stayed") if name not in words] == []


def test_a_live_card_is_unchanged_on_disk_even_when_writing_is_allowed(
    command: Typer, tmp_path: Path
) -> None:
    path = tmp_path / "live.json"
    result = run(command, path, purse_memory(), "--yes-write-training-purse", "--lang", "en")
    assert result.exit_code == 0
    assert path.read_bytes() == image.encode(purse_memory())
    assert "A purse of a real issuer: it is only read." in result.stdout
    assert "somebody's money is on this card" in result.stdout


def test_a_training_card_is_written_only_when_a_person_says_so(
    command: Typer, tmp_path: Path
) -> None:
    path = tmp_path / "training.json"
    before = image.encode(training_memory())
    assert run(command, path, training_memory(), "--lang", "it").exit_code == 0
    assert path.read_bytes() == before
    told = run(command, path, training_memory(), "--yes-write-training-purse", "--json")
    answers = json.loads(told.stdout)["answers"]
    assert answers["ring_turns"] == {"reply": "yes", "detail": "9000"}
    assert path.read_bytes() != before


def test_times_are_told_by_command(command: Typer, tmp_path: Path) -> None:
    told = run(command, tmp_path / "card.json", purse_memory(), "--json")
    assert {"SELECT", "GET CHALLENGE", "READ RECORD EF.SPEND 1"} <= set(
        json.loads(told.stdout)["median_ms"]
    )


def test_a_page_is_made_to_file(command: Typer, tmp_path: Path) -> None:
    page = tmp_path / "chip.md"
    result = run(command, tmp_path / "c.json", purse_memory(), "--form", str(page), "--lang", "en")
    assert result.exit_code == 0
    text = page.read_text("utf-8")
    assert text.startswith("# What the chip 3B")
    assert "(`mse_chooses_answer_key`) | yes |" in text
    assert "lot and year" in text
    holes = [line for line in text.splitlines() if "{" in line]
    assert holes == []


def test_a_wish_to_write_without_a_probe_is_wrong_usage(command: Typer) -> None:
    assert CliRunner().invoke(command, ["--yes-write-training-purse"]).exit_code == 2


def test_files_that_cannot_be_used_are_told(command: Typer, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no" / "page.md")
    page = run(command, tmp_path / "c.json", purse_memory(), "--form", nowhere, "--lang", "it")
    assert (page.exit_code, page.stderr.split(":")[0]) == (1, "FILE_UNWRITABLE")
    write = ("--yes-write-training-purse", "--pin-file", nowhere)
    pin = run(command, tmp_path / "d.json", purse_memory(), *write)
    assert (pin.exit_code, pin.stderr.split(":")[0]) == (1, "SECRET_UNREADABLE")


def test_the_page_says_in_words_why_something_was_not_asked(command: Typer, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    run(command, tmp_path / "c.json", purse_memory(), "--form", str(page), "--lang", "it")
    assert "| non chiesto | non si può chiedere |" in page.read_text()
    assert "impossible" not in page.read_text()
