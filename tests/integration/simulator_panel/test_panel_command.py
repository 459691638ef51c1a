"""``borsellino sim panel``: which slots it opens, before there is a screen."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simulator.cli import app
from simulator.panel import app as screen
from simulator.training import MASTERS


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the screen is started with, instead of a screen."""
    arguments: list[Any] = []
    monkeypatch.setattr(screen, "run", lambda *given: arguments.extend(given))
    return arguments


def panel(*options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["panel", *options])
    return done.exit_code, done.output


def test_without_readers_the_slots_are_in_this_process(shown: list[Any], tmp_path: Path) -> None:
    assert panel(str(tmp_path), "--slots", "none", "--lang", "it") == (0, "")
    shelf, slots, _, lang, where = shown
    assert (shelf.folder, lang) == (tmp_path, "it")
    assert [(slot.number, slot.address) for slot in slots] == [(1, None), (2, None)]
    assert where == "Solo in questo processo: r legge una carta."


def test_the_machine_s_virtual_readers_are_where_vpcd_has_them(shown: list[Any]) -> None:
    assert panel("--slots", "machine", "--lang", "en") == (0, "")
    assert [slot.address for slot in shown[1]] == [("127.0.0.1", 35963), ("127.0.0.1", 35964)]
    assert "127.0.0.1:35963, 127.0.0.1:35964" in shown[4]


def test_masters_are_read_from_a_file(shown: list[Any], tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(f'{{"debit": ["{MASTERS.debit.hex()}"]}}')
    assert panel("--slots", "none", "--keys", str(keys)) == (0, "")
    assert shown[2].debit_masters == [MASTERS.debit]


def test_keys_that_are_none_are_refused_with_their_code(shown: list[Any]) -> None:
    code, output = panel("--slots", "none", "--keys", "/nowhere.json")
    assert code == 1
    assert "KEYS_UNREADABLE" in output
    assert shown == []


def test_a_file_is_no_shelf(shown: list[Any], tmp_path: Path) -> None:
    (tmp_path / "one.card").write_text("{}")
    code, output = panel(str(tmp_path / "one.card"), "--slots", "none", "--lang", "it")
    assert (code, shown) == (1, [])
    assert output.startswith("SHELF_NO_FOLDER: ")
    assert "non è una cartella" in output
