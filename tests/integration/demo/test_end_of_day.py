"""The end of a shop's day, by commands: totals, close, statement, audit with what was kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.cli import app as backend_app
from backend.services.export.export import write_export
from backend.verifier.audit import audit
from cardlib.system import SystemClock, SystemRandomness
from simulator.town.demo.shop import Shop
from simulator.town.demo.town_hall import TownHall
from terminal.cli import app as terminal_app

# The demo they copy is played once, on one worker.


@pytest.fixture
def secret(kept: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BORSELLINO_PASSPHRASE_FILE", str(kept / "passphrase"))
    return (kept / "passphrase").read_text("ascii").strip()


def ask(app: Any, *arguments: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_what_a_shop_closes_and_keeps_is_found_again_in_the_export(
    kept: Path, secret: str, tmp_path: Path
) -> None:
    clock, randomness = SystemClock(), SystemRandomness()
    folder = min(kept.glob("till-*"))
    totals = ask(terminal_app, "totals", "--dir", folder)
    closed = ask(terminal_app, "close", "--dir", folder)
    assert closed["entry"]["seq"] == totals["last"] + 1
    assert closed["ledger_head"] == totals["ledger_head"]
    shop = Shop(folder, secret, clock, randomness)
    with TownHall(kept / "backend", secret, clock, randomness) as hall:
        with hall.serve() as url:
            shop.move(url)
            assert shop.synchronise().problem == ""
        with hall.backend.work.begin() as unit:
            merchant = unit.terminals.terminal(shop.terminal()).merchant_id
        paper = tmp_path / "statement.json"
        made = ask(backend_app, "statement", str(merchant), "--out", paper, "--dir",
                   kept / "backend")  # fmt: skip
        write_export(hall.backend.work, tmp_path / "export", clock.unix_ms() // 1000)
    looked = ask(terminal_app, "statement", paper, "--dir", folder)
    assert (looked["good"], looked["ledger_head"]) == (True, made["ledger_head"])
    verdict = audit(tmp_path / "export", evidence=(paper,))
    assert verdict.holds
    assert verdict.held["close"][0] == closed["ledger_head"]["transfer"]
    assert verdict.held["statement"][1].hex() == made["ledger_head"]["hash"]


def test_the_slip_says_it_in_the_shops_language(kept: Path, secret: str) -> None:
    assert secret
    folder = min(kept.glob("till-*"))
    slip = CliRunner().invoke(terminal_app, ["totals", "--dir", str(folder), "--lang", "it"]).output
    assert "TOTALI, senza chiudere (n. 1)" in slip
    assert "Testa del libro mastro:" in slip
    assert " EUR" in slip
