"""Another project's tests with virtual cards: a scratch project, run by a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFTEST = 'pytest_plugins = ["simulator.pytest_plugin"]\n'
SELECT, VERIFY = "00A4080C041200B001", "0020009C083132333435FFFFFF"
TESTS = f"""
import pytest
from cardlib.errors import CardGoneError

SELECT, VERIFY = bytes.fromhex("{SELECT}"), bytes.fromhex("{VERIFY}")


def test_the_training_purse_takes_its_pin(card_connection):
    assert card_connection.transmit(SELECT) == bytes.fromhex("9000")
    assert card_connection.transmit(VERIFY) == bytes.fromhex("9000")


@pytest.mark.virtual_card(mask="crs-stincard", wallets=[])
def test_a_marker_chooses_the_card(virtual_card, card_connection):
    assert virtual_card.memory.mask == "crs-stincard"
    assert card_connection.transmit(SELECT) == bytes.fromhex("6A82")


def test_faults_by_name_in_virtual_time(faulty_card, card_clock):
    card = faulty_card("slow:2", "tear-after:verify:1")
    card.connection.transmit(SELECT)
    assert card_clock.monotonic_ms() == 2000
    with pytest.raises(CardGoneError):
        card.connection.transmit(VERIFY)
    card.reinsert()
    assert card.connection.transmit(SELECT) == bytes.fromhex("9000")


@pytest.mark.virtual_card(seed="one")
def test_cards_are_the_same_for_the_same_seed(virtual_card):
    assert virtual_card.memory.serial == "SERIAL"
"""
PCSCD_TEST = """
import subprocess

def test_any_program_sees_the_card(virtual_pcscd, virtual_card):
    virtual_pcscd.insert(virtual_card)
    told = subprocess.run(["opensc-tool", "--list-readers"], capture_output=True, text=True)
    assert virtual_pcscd.reader_name() in told.stdout
    assert "Yes" in told.stdout
"""


NOWHERE = """
from pathlib import Path

def pytest_sessionstart():
    import simulator.pytest_plugin as plugin
    plugin.PCSCD = Path("/nowhere/pcscd")
"""


def run(folder: Path, *options: str) -> str:
    """What a pytest of its own says in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    return tmp_path


def test_another_project_imports_the_fixtures(project: Path) -> None:
    from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
    from simulator.card.personal import fictitious_holder
    from simulator.card.randomness import SeededRandomness

    randomness = SeededRandomness("one")
    holder = fictitious_holder(randomness)
    serial = make_card(WHITE, randomness, holder, TRAINING_TRANSPORT_KEYS).serial
    (project / "test_cards.py").write_text(TESTS.replace("SERIAL", serial))
    told = run(project, "--strict-markers")
    assert "4 passed" in told, told


def test_a_setting_chooses_the_kind_of_card(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\nvirtual_card_mask = white-applet\n")
    (project / "test_kind.py").write_text(
        "def test_kind(virtual_card):\n    assert virtual_card.memory.mask == 'white-applet'\n"
    )
    told = run(project)
    assert "1 passed" in told, told


def test_without_the_daemon_it_skips_or_where_wanted_fails(project: Path) -> None:
    (project / "conftest.py").write_text(CONFTEST + NOWHERE)
    (project / "test_readers.py").write_text(PCSCD_TEST)
    skipped = run(project, "-rs")
    assert "1 skipped" in skipped, skipped
    assert "missing: ['pcscd']" in skipped, skipped
    (project / "pytest.ini").write_text("[pytest]\nvirtual_pcscd = require\n")
    failed = run(project)
    assert "1 error" in failed, failed
