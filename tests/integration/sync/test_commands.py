"""``borsellino sync`` against the real service under uvicorn, as a shop types it."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from backend.adapters.pin_letters import FilePinLetters
from backend.api.app import create_app
from backend.composition import Backend
from cardlib.system import SystemClock, SystemRandomness
from cardlib.wire.entry_body import Declined
from terminal.agent.cli import app
from terminal.till import Till
from tests.integration.backend.builders import Town

PASSPHRASE = "fresco di mattina"


class Served:
    """The real app, on a port of its own."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        backend = Backend(
            work=town.work, keys=town.keys, clock=SystemClock(), randomness=SystemRandomness(),
            letters=FilePinLetters(folder / "letters"),
        )  # fmt: skip
        config = uvicorn.Config(
            create_app(backend), host="127.0.0.1", port=0, log_level="warning", ws="none",
            lifespan="off",
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            self.thread.join(0.01)

    @property
    def url(self) -> str:
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def served(engine: Engine, tmp_path: Path) -> Iterator[Served]:
    town = Town(engine)
    town.clock = SystemClock()  # type: ignore[assignment]
    served = Served(town, tmp_path)
    yield served
    served.close()


class Shopkeeper:
    """Types commands; the passphrase is in a file."""

    def __init__(self, folder: Path) -> None:
        self.directory = folder / "till"
        secret = folder / "passphrase"
        secret.write_text(PASSPHRASE + "\n")
        self.environment = {"BORSELLINO_PASSPHRASE_FILE": str(secret), "LANG": "en_GB.UTF-8"}

    def types(self, *arguments: str, says: str | None = None) -> Result:
        command = [*arguments, "--dir", str(self.directory)]
        return CliRunner().invoke(app, command, env=self.environment, input=says)

    def enrols(self, served: Served) -> None:
        made = self.types("keys", "--url", served.url, "--json")
        fingerprint = json.loads(made.stdout)["fingerprint"]
        code = served.town.enrolment.issue_code(served.town.shop, fingerprint)
        operator = served.town.keys.operator_key().public.fingerprint
        done = self.types("enrol", "--code", code, "--operator-fingerprint", operator)
        assert done.exit_code == 0, done.output

    def sells(self, count: int) -> None:
        clock, randomness = SystemClock(), SystemRandomness()
        with Till.open(self.directory, PASSPHRASE, clock, randomness) as till:
            for _ in range(count):
                till.journal.append(Declined(code="CARD_MAC_BAD"))


@pytest.fixture
def shopkeeper(tmp_path: Path) -> Shopkeeper:
    return Shopkeeper(tmp_path)


def test_from_the_keys_to_the_first_synchronisation(served: Served, shopkeeper: Shopkeeper) -> None:
    shopkeeper.enrols(served)
    shopkeeper.sells(2)
    before = json.loads(shopkeeper.types("status", "--json").stdout)
    assert (before["entries_here"], before["last_answer"]) == (2, None)

    done = shopkeeper.types("once", "--json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["sent"], report["pending"], report["problem"]) == (3, 0, "")
    with served.town.work.begin() as unit:
        (terminal,) = unit.terminals.all()
        assert (terminal.high_seq, terminal.mark > 0) == (3, True)
    told = shopkeeper.types("status").stdout
    assert "All sales have arrived." in told
    assert "10 more days" in told


def test_keys_asked_for_twice_are_the_same(served: Served, shopkeeper: Shopkeeper) -> None:
    """Somebody may already be reading the fingerprint to the operator."""
    first = shopkeeper.types("keys", "--url", served.url)
    assert first.stdout == shopkeeper.types("keys", "--url", served.url).stdout


def test_another_operator_than_the_one_named_is_refused(
    served: Served, shopkeeper: Shopkeeper
) -> None:
    made = shopkeeper.types("keys", "--url", served.url, "--json")
    fingerprint = json.loads(made.stdout)["fingerprint"]
    code = served.town.enrolment.issue_code(served.town.shop, fingerprint)
    refused = shopkeeper.types("enrol", "--code", code, "--operator-fingerprint", "0000-1111")
    assert (refused.exit_code, "OPERATOR_OTHER" in refused.stderr) == (1, True)
    asked = shopkeeper.types("enrol", "--code", code, says="n\n")
    assert (asked.exit_code, "OPERATOR_OTHER" in asked.stderr) == (1, True)
    assert not (shopkeeper.directory / "certificate.cose").exists()
    accepted = shopkeeper.types("enrol", "--code", code, says="y\n")
    assert (accepted.exit_code, "Bottega Rossi" in accepted.stdout) == (0, True)


@pytest.mark.parametrize(
    ("wrong", "code"), [("AAAA-AAAA-AAAA", "ENROLMENT_CODE_BAD"), (None, "ENROLMENT_KEY_OTHER")]
)
def test_a_wrong_code_enrols_nobody(
    served: Served, shopkeeper: Shopkeeper, wrong: str | None, code: str
) -> None:
    """Unknown, or made for another key."""
    shopkeeper.types("keys", "--url", served.url)
    other = served.town.enrolment.issue_code(served.town.shop, "0123-4567")
    refused = shopkeeper.types("enrol", "--code", wrong or other, "--operator-fingerprint", "x")
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, code)


def test_without_a_service_the_sales_stay_and_the_command_fails(
    served: Served, shopkeeper: Shopkeeper
) -> None:
    shopkeeper.enrols(served)
    shopkeeper.sells(1)
    served.close()
    failed = shopkeeper.types("once", "--lang", "it")
    assert failed.exit_code == 1
    assert failed.stderr.startswith("SERVICE_UNREACHABLE: Il servizio non risponde.")
    assert "registrazioni: 1" in shopkeeper.types("status", "--lang", "it").stdout


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://comune.example", "SERVICE_URL_CLEAR"),
        ("ftp://comune.example", "SERVICE_URL_BAD"),
        ("comune", "SERVICE_URL_BAD"),
    ],
)
def test_an_address_that_protects_nothing_is_refused(
    shopkeeper: Shopkeeper, url: str, code: str
) -> None:
    refused = shopkeeper.types("keys", "--url", url)
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (1, code)
    assert not shopkeeper.directory.exists()


def test_a_till_that_is_not_there_or_not_enrolled_is_told(shopkeeper: Shopkeeper) -> None:
    assert shopkeeper.types("status").stderr.startswith("TILL_MISSING")
    shopkeeper.types("keys", "--url", "http://127.0.0.1:9")
    assert shopkeeper.types("once").stderr.startswith("TILL_NOT_ENROLLED")


def test_a_running_agent_ends_when_asked(served: Served, shopkeeper: Shopkeeper) -> None:
    shopkeeper.enrols(served)
    shopkeeper.sells(1)
    command = "from terminal.agent.cli import app; app()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "run", "--json", "--dir", str(shopkeeper.directory)],
        env=shopkeeper.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout:
        report = json.loads(process.stdout.readline())
        second = shopkeeper.types("once", "--json")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert (report["sent"], report["problem"]) == (2, "")
    assert (second.exit_code, json.loads(second.stdout)["code"]) == (1, "SYNC_RUNNING")
