"""Virtual cards as pytest fixtures, for other projects, too.

In a ``conftest.py``::

    pytest_plugins = ["simulator.pytest_plugin"]

and in tests::

    def test_a_wrong_pin_is_counted(card_connection):
        card_connection.transmit(bytes.fromhex("00A4080C041200B001"))
        assert card_connection.transmit(…) == bytes.fromhex("63C2")

    @pytest.mark.virtual_card(mask="crs-stincard", wallets=[50_00])
    def test_a_card_torn_in_a_write(faulty_card):
        torn = faulty_card("tear-after:write:1")
        …
        torn.reinsert()

========================== ===========================================================
``virtual_card``           a ``VirtualCard``; by default white, with a training purse
``card_connection``        a ``cardlib.connection.CardConnection`` to it, in this process
``faulty_card``            call it with faults (``simulator.fault_options``)
``card_clock``             the virtual time in which slow and idle faults pass
``virtual_pcscd``          a pcscd of the test run's own with virtual readers; skips
                           where pcscd or vpcd is missing
========================== ===========================================================

The marker ``virtual_card(mask=…, wallets=[cents…], seed=…)`` chooses the card of one
test. Settings in ``pytest.ini`` or ``pyproject.toml``: ``virtual_card_mask``, the kind of
card where no marker names one; ``virtual_pcscd``, ``skip`` or ``require``: whether its
absence skips a test or fails it. Not loaded by itself: who installs the till tests no cards.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cardlib.connection import CardConnection
from cardlib.system import SystemClock
from simulator.card.card import VirtualCard
from simulator.card.masks import TRAINING_TRANSPORT_KEYS, WHITE, make_card
from simulator.card.personal import fictitious_holder
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.fault_options import FaultyCard, with_faults
from simulator.private_pcscd import DRIVER, PrivatePcscd
from simulator.timing import VirtualClock
from simulator.training import TrainingWallet, add_training_purse
from simulator.vpcd import VirtualReader

MARKER = "virtual_card"
SEED = "virtual card"
WALLETS = (100_00, 40_00)
PCSCD = Path("/usr/sbin/pcscd")
_SEEN_S, _POLL_S = 5.0, 0.5
_MASK_INI, _PCSCD_INI, _REQUIRE = "virtual_card_mask", "virtual_pcscd", "require"

FaultyCards = Callable[..., FaultyCard]
"""``faulty_card("tear-after:write:1", "slow:2")``: the first is nearest to the card."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The settings of an ini file."""
    parser.addini(_MASK_INI, "kind of virtual cards, as sim new-card --mask", default=WHITE)
    parser.addini(_PCSCD_INI, "without pcscd or vpcd: skip or require", default="skip")


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    about = f"{MARKER}(mask, wallets, seed): the card of the fixture virtual_card"
    config.addinivalue_line("markers", about)


@pytest.fixture
def virtual_card(request: pytest.FixtureRequest) -> VirtualCard:
    """A virtual card with a training purse: PIN 12345, PUK 12345678, keys known to anybody.

    ``wallets=[]`` leaves it without a purse. The same seed makes the same card.
    """
    marker = request.node.get_closest_marker(MARKER)
    chosen = dict(marker.kwargs) if marker else {}
    mask = chosen.get("mask") or request.config.getini(_MASK_INI)
    randomness = SeededRandomness(str(chosen.get("seed", SEED)))
    memory = make_card(mask, randomness, fictitious_holder(randomness), TRAINING_TRANSPORT_KEYS)
    wallets = [TrainingWallet(cents) for cents in chosen.get("wallets", WALLETS)]
    if wallets:
        add_training_purse(memory, wallets, randomness)
    return VirtualCard(memory, randomness)


@pytest.fixture
def card_connection(virtual_card: VirtualCard) -> Iterator[CardConnection]:
    """A connection to ``virtual_card`` in this process, closed after the test."""
    connection = InProcessConnection(virtual_card)
    yield connection
    connection.close()


@pytest.fixture
def card_clock() -> VirtualClock:
    """Virtual time: ``sleep`` moves it on at once."""
    return VirtualClock()


@pytest.fixture
def faulty_card(virtual_card: VirtualCard, card_clock: VirtualClock) -> FaultyCards:
    """Puts ``virtual_card`` behind faults, by name; FaultError for an unknown one."""

    def behind(*faults: str) -> FaultyCard:
        return with_faults(virtual_card, list(faults), card_clock)

    return behind


class VirtualPcscd:
    """A running daemon and the cards in its slots; ``environment`` is what clients need."""

    def __init__(self, daemon: PrivatePcscd, cards: ExitStack) -> None:
        self._daemon = daemon
        self._cards = cards
        self.environment = dict(daemon.environment)

    def reader_name(self, slot: int = 0) -> str:
        """The reader's name, as programs see it."""
        return self._daemon.reader_name(slot)

    def insert(self, card: VirtualCard | FaultyCard, slot: int = 0) -> VirtualReader:
        """Puts a card into slot 0 or 1 until the test ends, or until ``stop()`` of the reader.

        Returns when pcscd has polled: programs see the card.
        """
        faulty = card if isinstance(card, FaultyCard) else with_faults(card, [], SystemClock())
        address = ("127.0.0.1", self._daemon.port + slot)
        reader = VirtualReader(faulty.connection, address, reinsert=faulty.reinsert)
        self._cards.enter_context(reader)
        if not reader.connected.wait(_SEEN_S):
            pytest.fail(f"slot {slot} does not take a card")
        SystemClock().sleep(_POLL_S)
        return reader


@pytest.fixture(scope="session")
def private_pcscd(pytestconfig: pytest.Config) -> Iterator[PrivatePcscd]:
    """The daemon itself, once for the whole run; ``virtual_pcscd`` is what tests use."""
    missing = [path.name for path in (PCSCD, DRIVER) if not path.exists()]
    if missing:
        why = f"virtual_pcscd needs Debian's pcscd and vsmartcard-vpcd; missing: {missing}"
        if pytestconfig.getini(_PCSCD_INI) == _REQUIRE:
            pytest.fail(why)
        pytest.skip(why)
    with (
        tempfile.TemporaryDirectory(prefix="pcscd") as short,
        PrivatePcscd(Path(short), SystemClock()) as daemon,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in daemon.environment.items():
            environment.setenv(name, value)
        yield daemon


@pytest.fixture
def virtual_pcscd(private_pcscd: PrivatePcscd) -> Iterator[VirtualPcscd]:
    """Virtual readers for any PC/SC program, also for this process if it asks only now."""
    assert os.environ.get("PCSCLITE_CSOCK_NAME") == str(private_pcscd.socket)
    with ExitStack() as cards:
        yield VirtualPcscd(private_pcscd, cards)
