"""The demo as a visitor meets it: balanced books, and what happens when somebody cheats."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.money import Money
from simulator.town.demo.people import FOOD
from simulator.town.demo.readers import ProcessReader
from simulator.town.demo.shop import Shop
from tests.integration.demo.conftest import demo_in

# The demo they copy is played once, on one worker.
LAW_1, LAW_5 = "law 1", "law 5"


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs ``borsellino`` as a person would."""
    line = [sys.executable, "-m", "borsellino", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)


def change(town: Path, statement: str) -> None:
    """Somebody with a database tool."""
    with sqlite3.connect(town / "backend" / "backend.sqlite") as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


def test_the_kept_demo_is_found_in_order_again(kept: Path) -> None:
    done = command("demo", "--dir", kept, "--check", "--lang", "en")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Balanced" in done.stdout


def test_the_check_tells_a_machine_too(kept: Path) -> None:
    done = command("demo", "--dir", kept, "--check", "--json")
    told = json.loads(done.stdout)

    assert told["holds"] is True
    assert sum(told["balances_cents"].values()) == 0
    assert all(card["unposted_cents"] == 0 for card in told["cards"])


def last_transfer(kind: str, cents: str) -> str:
    """Changes the last transfer of a kind; source and target still balance."""
    newest = f"SELECT max(id) FROM transfer WHERE kind = '{kind}'"
    return f"UPDATE transfer SET cents = cents {cents} WHERE id = ({newest})"


@pytest.mark.parametrize(("kind", "cents"), [("sale_proven", "+ 1"), ("paid", "- 1")])
def test_one_transfer_changed_by_hand_breaks_law_1(kept: Path, kind: str, cents: str) -> None:
    change(kept, last_transfer(kind, cents))
    checked = command("demo", "--dir", kept, "--check", "--lang", "en")

    assert checked.returncode == 1
    assert LAW_1 in checked.stdout.lower()


def test_the_verifier_on_a_fresh_export_names_law_1_too(kept: Path, tmp_path: Path) -> None:
    change(kept, last_transfer("sale_proven", "+ 1"))
    export = tmp_path / "export"
    exported = command("backend", "export", export, "--dir", kept / "backend")
    verified = command("verify", export, "--lang", "en")

    assert exported.returncode == 0, exported.stderr
    assert verified.returncode == 1
    assert LAW_1 in verified.stdout.lower()


def test_one_amount_changed_in_an_entry_breaks_law_5(kept: Path) -> None:
    town = kept / "backend" / "backend.sqlite"
    with sqlite3.connect(town) as connection:
        rows = connection.execute("SELECT rowid, complete FROM entry ORDER BY rowid").fetchall()
        found = next((row, bytes(data)) for row, data in rows if b"\x19\x04\xe2" in bytes(data))
        spoilt = found[1].replace(b"\x19\x04\xe2", b"\x19\x04\xe3", 1)
        connection.execute("UPDATE entry SET complete = ? WHERE rowid = ?", (spoilt, found[0]))
    connection.close()
    checked = command("demo", "--dir", kept, "--check", "--lang", "en")

    assert checked.returncode == 1
    assert LAW_5 in checked.stdout.lower()


def test_a_sale_that_waits_in_a_till_is_no_breach_and_is_shown(kept: Path) -> None:
    clock, randomness = SystemClock(), SystemRandomness()
    passphrase = (kept / "passphrase").read_text("ascii").strip()
    shop = Shop(kept / "till-grocer", passphrase, clock, randomness)
    image = kept / "cards" / "white-paolo.json"
    stock = image.with_name(image.name + ".stock.json")
    serial = json.loads(stock.read_text("ascii"))["serial"]
    letters = (json.loads(path.read_text()) for path in (kept / "backend" / "letters").iterdir())
    pin = next(letter["pin"] for letter in letters if letter["serial"] == serial)
    with ProcessReader(randomness).insert(image) as card:
        shop.sell(card, pin, [(FOOD, Money(250))])
    told = json.loads(command("demo", "--dir", kept, "--check", "--json").stdout)

    assert told["holds"]
    assert [item["waiting_cents"] for item in told["cards"]] == [0, 250]


def test_a_directory_in_use_is_left_alone(kept: Path) -> None:
    done = command("demo", "--dir", kept, "--lang", "en")

    assert done.returncode == 1
    assert "DEMO_EXISTS" in done.stderr


def test_a_check_of_nothing_says_so(tmp_path: Path) -> None:
    done = command("demo", "--dir", tmp_path / "nowhere", "--check", "--lang", "it")

    assert done.returncode == 1
    assert "DEMO_MISSING" in done.stderr


def test_the_story_is_told_in_italian(tmp_path: Path) -> None:
    demo = demo_in(tmp_path / "paese", "it")
    demo.play(pcsc=False)

    assert any("La rete è tornata" in line for line in demo.narrator.told)
    assert not any("{" in line for line in demo.narrator.told)
