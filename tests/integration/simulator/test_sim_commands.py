"""``borsellino sim``: cards made, shown and served by the command itself."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.masks import TRAINING_TRANSPORT_KEYS
from simulator.card.randomness import SeededRandomness
from simulator.card.store import FileStore
from simulator.cli import open_image
from simulator.errors import ReplayError
from tests.integration.simulator.reader_stand_in import ATR, ReaderStandIn
from tests.unit.simulator.host import PIN, Host, aes_vectors, purse_keys, purse_memory

SPEND_5 = bytes.fromhex(aes_vectors()["spend_5"])
ROOT = Path(__file__).parents[3]

Sim = Callable[..., subprocess.CompletedProcess[str]]


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "simulator.cli", *map(str, arguments)]


@pytest.fixture
def sim(tmp_path: Path) -> Sim:
    """Runs ``sim`` in a directory of its own."""

    def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
        done = subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def test_a_new_card_comes_with_its_stock_file(sim: Sim, tmp_path: Path) -> None:
    told = json.loads(sim("new-card", "card.json", "--json").stdout)
    stock = json.loads((tmp_path / "card.json.stock.json").read_text())
    memory = image.decode((tmp_path / "card.json").read_bytes())
    assert told["serial"] == stock["serial"] == memory.serial
    services = memory.find((0x1200,))
    assert services is not None
    keys = {int(key, 16): bytes.fromhex(value) for key, value in stock["transport_keys"].items()}
    assert keys == services.keys
    assert keys != TRAINING_TRANSPORT_KEYS
    assert (stock["kind"], stock["suite"], stock["training"]) == ("crs", 1, False)


def test_training_stock_has_the_public_keys_and_says_so(sim: Sim, tmp_path: Path) -> None:
    sim("new-card", "card.json", "--mask", "white", "--issuer", "000000")
    stock = json.loads((tmp_path / "card.json.stock.json").read_text())
    assert stock["training"] is True
    assert stock["kind"] == "white"
    assert stock["transport_keys"]["0A"] == TRAINING_TRANSPORT_KEYS[0x0A].hex()


def test_a_card_that_nobody_ever_issued_says_so(sim: Sim) -> None:
    assert "Nobody ever issued" in sim("new-card", "t0.json", "--mask", "generic-t0").stdout
    assert "Nobody ever issued" not in sim("new-card", "a.json", "--mask", "crs-athena").stdout


def test_an_unknown_mask_is_told_with_those_there_are(sim: Sim) -> None:
    told = sim("new-card", "card.json", "--mask", "gold", code=1).stderr
    assert "CARD_MASK_UNKNOWN" in told
    assert "tscns-sardegna" in told


@pytest.mark.parametrize("there", ["card.json", "card.json.stock.json"])
def test_nothing_is_overwritten(sim: Sim, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    refused = sim("new-card", "card.json", code=1)
    assert refused.stderr.startswith("CARD_IMAGE_EXISTS: ")
    assert [entry.name for entry in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_the_same_seed_makes_the_same_card_and_holder(sim: Sim, tmp_path: Path) -> None:
    one = json.loads(sim("new-card", "one.json", "--seed", "7", "--json").stdout)
    two = json.loads(sim("new-card", "two.json", "--seed", "7", "--json").stdout)
    assert one["codice_fiscale"] == two["codice_fiscale"]
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_two_cards_differ_without_a_seed(sim: Sim) -> None:
    one, two = (
        json.loads(sim("new-card", name, "--mask", "white", "--json").stdout)
        for name in ("one.json", "two.json")
    )
    assert one["serial"] != two["serial"]


def test_a_legacy_card_is_in_stock_as_one(sim: Sim, tmp_path: Path) -> None:
    sim("new-card", "card.json", "--mask", "white", "--suite", "2tdea")
    told = json.loads((tmp_path / "card.json.stock.json").read_text("ascii"))
    assert told["suite"] == 2


def test_the_holder_can_be_named(sim: Sim) -> None:
    holder = "VERDI/GIUSEPPE/M/1999-12-31/F205"
    told = json.loads(sim("new-card", "card.json", "--holder", holder, "--json").stdout)
    assert told["holder"] == "VERDI GIUSEPPE"
    assert told["codice_fiscale"].startswith("VRDGPP99T31F205")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--mask", "gold"), "CARD_MASK_UNKNOWN"),
        (("--suite", "rot13"), "SUITE_MISSING"),
        (("--holder", "VERDI/ANNA/F/1999-13-01"), "CARD_HOLDER"),
        (("--holder", "VERDI/ANNA/X"), "CARD_HOLDER"),
        (("--holder", "VERDI/ANNA/F/1999-12-01/ROMA"), "CARD_HOLDER"),
        (("--holder", "/"), "CARD_HOLDER"),
        (("--issuer", "018153"), "TRAINING_ISSUER_ONLY"),
    ],
)
def test_what_cannot_be_made_is_named_and_leaves_nothing(
    sim: Sim, tmp_path: Path, arguments: tuple[str, str], code: str
) -> None:
    assert sim("new-card", "card.json", *arguments, code=1).stderr.startswith(code + ": ")
    assert list(tmp_path.iterdir()) == []


def test_refusals_speak_italian_when_asked(sim: Sim) -> None:
    assert "Non c'è" in sim("new-card", "x", "--mask", "gold", "--lang", "it", code=1).stderr


def test_a_place_that_cannot_be_written_is_named(sim: Sim) -> None:
    refused = sim("new-card", "no/such/place/card.json", code=1)
    assert refused.stderr.startswith("CARD_IMAGE_UNWRITABLE: ")


def test_a_wrong_option_is_a_usage_error(sim: Sim) -> None:
    sim("new-card", "card.json", "--colour", "red", code=2)


@pytest.fixture
def purse_card(tmp_path: Path) -> Path:
    path = tmp_path / "card.json"
    FileStore(path).save(image.encode(purse_memory()))
    return path


def test_show_tells_purses_counters_and_tries(sim: Sim, purse_card: Path) -> None:
    card = json.loads(sim("show", purse_card, "--json").stdout)
    purse = next(item for item in card["directories"] if item["path"] == "3F00/1200/B001")
    assert purse["tries_left"] == {"1C": 3, "1D": 10}
    assert purse["purse"]["issuer"] == "018153"
    assert purse["purse"]["spends"][0] == {"record": 1, "type": "sale", "ctr": 4}
    assert purse["purse"]["grants"] == [{"record": 1, "slot": 1, "grant_seq": 7}]
    lines = sim("show", purse_card).stdout
    assert "EF.SPEND" in lines
    assert "20 × 54" in lines


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_show_never_shows_a_key_or_a_pin(
    sim: Sim, purse_card: Path, options: tuple[str, ...]
) -> None:
    shown = sim("show", purse_card, *options).stdout.lower()
    secrets = [*purse_keys().values(), *TRAINING_TRANSPORT_KEYS.values()]
    assert not [key for key in secrets if key.hex() in shown]
    assert PIN not in shown
    assert PIN.encode().hex() not in shown


def test_a_file_that_is_no_card_is_named(sim: Sim, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    assert sim("show", "text", code=1).stderr.startswith("CARD_IMAGE_UNREADABLE: ")


# serve ------------------------------------------------------------------------------------


@pytest.fixture
def reader() -> Iterator[ReaderStandIn]:
    with ReaderStandIn() as stand_in:
        yield stand_in


Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def serve(purse_card: Path, reader: ReaderStandIn) -> Iterator[Serve]:
    """Starts ``sim serve`` of the purse card; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        address = f"127.0.0.1:{reader.address[1]}"
        process = subprocess.Popen(
            command("serve", purse_card, "--vpcd", address, *options),
            env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        reader.accept()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_an_update_that_was_answered_survives_a_kill(
    serve: Serve, reader: ReaderStandIn, purse_card: Path
) -> None:
    process = serve()
    host = Host(reader)
    host.open_purse()
    answer = host.expect(host.spend(SPEND_5))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert host.confirmed(answer, "0CDC001B", 3)
    again = Host(VirtualCard.load(purse_card, SeededRandomness("again")))
    again.open_purse()
    assert SPEND_5 in again.expect("0CB2011C42")


def test_a_wrong_pin_counts_even_when_killed_right_after(
    serve: Serve, reader: ReaderStandIn, purse_card: Path
) -> None:
    process = serve()
    host = Host(reader)
    host.select_purse()
    assert host.status("0020009C08" + "39" * 8) == "63C2"
    process.kill()
    process.wait()
    again = Host(VirtualCard.load(purse_card, SeededRandomness("again")))
    again.select_purse()
    assert again.status("0020009C") == "63C2"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_cleanly(serve: Serve, reader: ReaderStandIn, ending: signal.Signals) -> None:
    process = serve("--json")
    assert reader.ask(ATR) is not None
    process.send_signal(ending)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert json.loads(output)["vpcd"].startswith("127.0.0.1:")
    assert errors == ""
    assert reader.is_hung_up()


def test_a_recorded_trace_answers_again_as_a_card(
    serve: Serve, reader: ReaderStandIn, tmp_path: Path
) -> None:
    trace = tmp_path / "purse.trace"
    serve("--record", str(trace))
    host = Host(reader)
    host.select_purse()
    host.expect(bytes.fromhex("0020009C08") + PIN.encode().ljust(8, b"\xff"))
    again = Host(open_image(str(trace)))
    again.select_purse()
    again.expect("0020009C08" + "39" * 8)  # no trace holds a PIN, so any will do
    with pytest.raises(ReplayError):
        again.send("00B0810011")
    assert PIN.encode().hex() not in trace.read_text().lower()


def test_the_trace_names_commands_and_masks_the_pin(serve: Serve, reader: ReaderStandIn) -> None:
    process = serve("--trace")
    Host(reader).open_purse()
    process.send_signal(signal.SIGTERM)
    _, trace = process.communicate(timeout=30)
    assert "SELECT" in trace
    assert "GIVE RANDOM" in trace
    assert "VERIFY: 0020009C08FFFFFFFFFFFFFFFF -> 9000 (OK)" in trace
    assert PIN.encode().hex() not in trace.lower()


def test_faults_are_named_on_the_command_line(
    serve: Serve, reader: ReaderStandIn, purse_card: Path
) -> None:
    serve("--fault", "tear-damaged-new:DC:1", "--fault", "slow:0.001")
    host = Host(reader)
    host.open_purse()
    assert reader.ask(host.spend(SPEND_5)) is None
    reader.accept()
    host.open_purse()
    torn = host.expect("0CB2011C42")
    assert SPEND_5 not in torn
    host.expect(host.spend(SPEND_5))


@pytest.mark.parametrize(
    "fault",
    ["", "tears", "tear-after", "tear-after:0", "tear-after:x", "slow:fast", "pin-wedge:1"],
)
def test_faults_that_do_not_exist_are_refused(sim: Sim, purse_card: Path, fault: str) -> None:
    refused = sim("serve", purse_card, "--fault", fault, code=1)
    assert refused.stderr.startswith("FAULT_UNKNOWN: ")


def test_a_bad_address_is_refused(sim: Sim, purse_card: Path) -> None:
    refused = sim("serve", purse_card, "--vpcd", "nowhere", code=1)
    assert refused.stderr.startswith("READER_ADDRESS: ")


# One card, one reader ---------------------------------------------------------------------


def test_power_up_takes_over_what_another_program_saved(purse_card: Path) -> None:
    one, two = (VirtualCard.load(purse_card, SeededRandomness(name)) for name in ("one", "two"))
    host = Host(one)
    host.open_purse()
    host.expect(host.spend(SPEND_5))
    two.power_on()
    other = Host(two)
    other.open_purse()
    assert SPEND_5 in other.expect("0CB2011C42")


def test_a_card_in_two_programs_at_once_is_never_debited_twice(
    purse_card: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = (VirtualCard.load(purse_card, SeededRandomness(name)) for name in ("one", "two"))
    first, second = Host(one), Host(two)
    second.open_purse()
    two.reset()
    first.open_purse()
    first.expect(first.spend(SPEND_5))
    second.select_purse()
    assert second.status("0020009C08" + "3132333435FFFFFF") == "6F00"
    two.reset()
    second.open_purse()
    assert SPEND_5 in second.expect("0CB2011C42")
    assert "CARD_IMAGE_IN_USE" in caplog.text


def test_other_commands_read_a_card_by_the_path_of_its_image(purse_card: Path) -> None:
    from cardlib.connections import open_connection

    connection = open_connection(image=str(purse_card))
    host = Host(connection)
    host.open_purse()
    connection.close()
    assert host.status("00B0810011") == "6A82"


def test_serving_says_when_no_reader_is_there_yet(purse_card: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            command("serve", purse_card, "--vpcd", str(port), "--lang", "en"),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            told = process.stdout.readline()
        finally:
            process.terminate()
            process.communicate()
    assert told.startswith(f"There is no virtual reader at 127.0.0.1:{port} yet")
