"""The whole chain by hand: every step of the demo as a command that a person types."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Hands:
    """Types commands in a folder; secrets come from files."""

    folder: Path

    def line(self, *arguments: str | Path) -> tuple[list[str], dict[str, str]]:
        secret = self.folder / "passphrase"
        secret.write_text("a fine long phrase\n", "utf-8")
        environment = {**os.environ, "BORSELLINO_PASSPHRASE_FILE": str(secret), "LANG": "en"}
        return [sys.executable, "-m", "borsellino", *map(str, arguments)], environment

    def type(self, *arguments: str | Path, status: int = 0, typed: str = "") -> str:
        line, environment = self.line(*arguments)
        done = subprocess.run(
            line, cwd=self.folder, env=environment, capture_output=True, text=True,
            check=False, timeout=60, input=typed,
        )  # fmt: skip
        assert done.returncode == status, (arguments, done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def ask(self, *arguments: str | Path) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.type(*arguments, "--json"))
        return answer


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a town hall that was set up by commands."""
    hands = Hands(tmp_path_factory.mktemp("founded"))
    hands.type("backend", "set-up", "Consorzio")
    hands.type("backend", "town", "018999", "Borgo Esempio")
    hands.type("backend", "category", "0", "alimentari", "food")
    hands.type(
        "backend", "programme", "12", "Buono spesa", "--issuer", "018999", "--categories", "0",
        "--valid-from", "2026-01-01", "--valid-to", "2099-12-31",
    )  # fmt: skip
    hands.type("backend", "fund", "1", "1000,00", "--source", "Stato", "--act", "D1", "--by", "c")
    hands.type("backend", "merchant", "Alimentari Rossi", "IT60S9999901600000000000002")
    hands.type("backend", "enable", "1", "1")
    hands.type("sim", "new-card", "card.json", "--mask", "white")
    hands.type("backend", "stock", "card.json.stock.json", "--issuer", "018999")
    return hands.folder


@pytest.fixture
def town(founded: Path, tmp_path: Path) -> Hands:
    """A copy of it, at another place: a town hall may move."""
    shutil.copytree(founded, tmp_path, dirs_exist_ok=True)
    return Hands(tmp_path)


@pytest.fixture
def service(town: Hands) -> Iterator[str]:
    """The service in the foreground of another terminal."""
    line, environment = town.line("backend", "serve", "--port", "0")
    process = subprocess.Popen(
        line, cwd=town.folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = process.stdout.readline()
    yield next(word.rstrip(";") for word in told.split() if word.startswith("http"))
    process.terminate()
    status = process.wait(60)
    process.stdout.close()
    assert status == 0


def enrol(hands: Hands, url: str) -> None:
    fingerprint = hands.ask("sync", "keys", "--url", url)["fingerprint"]
    made = hands.ask("backend", "code", "1", fingerprint)
    hands.type("sync", "enrol", "--code", made["code"], "--operator-fingerprint", made["operator"])


def load(hands: Hands) -> str:
    """Personalises and loads the card; where its PIN is."""
    serial = json.loads((hands.folder / "card.json.stock.json").read_text("utf-8"))["serial"]
    purse = hands.ask("sync", "personalise", serial, "--card", "card.json")["purse"]
    award = hands.ask(
        "backend", "award", "1", "family-7", "80,00", "--source", "Stato", "--act", "D2",
        "--by", "anna", "--approved-by", "bruno",
    )["award"]  # fmt: skip
    hands.type(
        "backend", "order", str(award), purse, "50,00", "--by", "anna", "--approved-by", "bruno"
    )
    assert hands.ask("sync", "top-up", "--card", "card.json")["cents"] == 5000
    letter = hands.folder / "backend" / "letters" / f"{purse}.json"
    pin = hands.folder / "pin"
    pin.write_text(json.loads(letter.read_text("ascii"))["pin"], "ascii")
    return "pin"


def test_a_town_a_card_a_sale_and_an_audit_by_hand(town: Hands, service: str) -> None:
    enrol(town, service)
    pin = load(town)
    town.type(
        "terminal", "pay", "--card", "card.json", "--amount", "12,50", "--category", "food",
        "--pin-file", pin, "--yes",
    )  # fmt: skip
    town.type("sync", "once")
    town.type("backend", "export", "export")

    assert "12.50" in town.type("backend", "statement", "1")
    assert town.type("terminal", "journal", "check")
    assert town.type("verify", "export")
    assert town.type("doctor", "--card", "card.json")


def test_what_nobody_may_do_is_refused_with_a_code(town: Hands) -> None:
    refused = [
        (("backend", "town", "018999", "Again"), "ISSUER_EXISTS"),
        (("backend", "fund", "1", "minus one", "--source", "S", "--act", "A", "--by", "c"),
         "AMOUNT_BAD"),
        (("backend", "award", "1", "f", "10", "--source", "Stato", "--act", "A", "--by", "anna",
          "--approved-by", "anna"), "SAME_PERSON"),
        (("backend", "award", "1", "f", "9999", "--source", "Stato", "--act", "A", "--by", "anna",
          "--approved-by", "bruno"), "FUND_TOO_SMALL"),
        (("backend", "merchant", "Nobody", "IT00X"), "IBAN_BAD"),
        (("terminal", "pay", "--amount", "1", "--category", "food"), "TILL_MISSING"),
        (("card", "info", "--card", "nothing.json"), "CARD_IMAGE_UNREADABLE"),
        (("backend", "order", "1", "018999-0011223344556677", "1", "--by", "a",
          "--approved-by", "b"), "AWARD_UNKNOWN"),
    ]  # fmt: skip
    for arguments, code in refused:
        assert town.type(*arguments, status=1).startswith(code), arguments


def test_a_second_set_up_changes_nothing(town: Hands) -> None:
    assert town.type("backend", "set-up", "Other", status=1).startswith("OPERATOR_EXISTS")


def test_keys_are_rolled_over_by_hand_while_the_service_runs(town: Hands, service: str) -> None:
    enrol(town, service)
    pin = load(town)
    assert town.ask("backend", "key-set", "announce", "018999", "--by", "anna") == {"key_set": 2}
    begin = ("backend", "key-set", "begin", "018999", "--by", "bruno")
    assert town.type(*begin, status=1).startswith("KEY_SET_NOT_HELD")
    town.type("sync", "once")
    assert "hold it: 1" in town.type("backend", "key-set", "status", "018999", "--lang", "en")
    assert town.ask(*begin) == {"key_set": 2}
    old = (town.folder / pin).read_text("ascii")
    reset = ("sync", "reset-pin", "--by", "anna", "--card", "card.json")
    assert town.ask(*reset)["outcome"] == "PIN_RESET"
    letters = list((town.folder / "backend" / "letters").glob("*.pin.json"))
    new = json.loads(letters[0].read_text("ascii"))["pin"]
    assert new != old

    renewed = town.type("sync", "renew", "--card", "card.json", "--lang", "en", typed=f"{new}\n")
    assert "new keys" in renewed
    (town.folder / pin).write_text(new, "ascii")
    town.type(
        "terminal", "pay", "--card", "card.json", "--amount", "12,50", "--category", "food",
        "--pin-file", pin, "--yes",
    )  # fmt: skip
    town.type("sync", "once")
    town.type("backend", "export", "export")
    assert town.type("verify", "export")


def test_a_folder_without_an_installation_is_told_and_left_as_it_is(hands: Hands) -> None:
    told = hands.type("backend", "export", "out", "--dir", "nowhere", status=1)
    assert told.startswith("INSTALLATION_MISSING")
    assert not (hands.folder / "nowhere").exists()


def test_an_installation_below_a_plain_file_is_refused(hands: Hands) -> None:
    (hands.folder / "file").touch()
    told = hands.type("backend", "set-up", "Consorzio", "--dir", "file/backend", status=1)
    assert told.startswith("FILE_UNWRITABLE")
