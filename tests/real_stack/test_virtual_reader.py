"""The link between a virtual card and the real pcscd."""

import itertools
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from cardlib.system import SystemClock
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Shim, TearBefore, nth
from simulator.private_pcscd import PrivatePcscd
from simulator.vpcd import VirtualReader
from tests.real_stack.pcscd import Insert, Tool, await_card, await_empty
from tests.unit.simulator.host import Host, aes_vectors, purse_memory

pytestmark = pytest.mark.pcsc

SELECT_PURSE = "00A4080C041200B001"
READ_INFO = "00B0810011"


def send(tool: Tool, *apdus: str) -> bytes:
    """Sends commands through OpenSC's tool, in one connection."""
    arguments = [part for apdu in apdus for part in ("--send-apdu", apdu)]
    done = tool("opensc-tool", "--reader", "0", "--card-driver", "default", *arguments)
    return done.stdout


def shown(data: str) -> bytes:
    """The first bytes as the tool prints them."""
    return " ".join(data[at : at + 2].upper() for at in range(0, 24, 2)).encode()


class ThroughPcsc:
    """A card as a PC/SC client sees it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def transmit(self, apdu: bytes) -> bytes:
        data, sw1, sw2 = self._connection.transmit(list(apdu))
        return bytes((*data, sw1, sw2))


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(purse_memory(), SeededRandomness("reader"))


def test_commands_reach_the_card_and_answers_come_back(
    card: VirtualCard, insert: Insert, tool: Tool
) -> None:
    insert(card)
    assert shown(aes_vectors()["info"]) in send(tool, SELECT_PURSE, READ_INFO)


def test_a_command_takes_far_less_than_the_forty_milliseconds_of_nagle(
    card: VirtualCard, insert: Insert, tool: Tool
) -> None:
    commands: list[float] = []
    insert(card, tracer=lambda _apdu, _answer: commands.append(time.perf_counter()))
    commands.clear()
    send(tool, SELECT_PURSE, *[READ_INFO] * 50)
    gaps = sorted(after - before for before, after in itertools.pairwise(commands))
    assert gaps[len(gaps) // 2] < 0.02


def test_the_presence_poll_does_not_disturb_a_purse_that_is_open(
    card: VirtualCard, insert: Insert, tool: Tool
) -> None:
    from smartcard.System import readers

    insert(card)
    connection = readers()[0].createConnection()
    connection.connect()
    host = Host(ThroughPcsc(connection))
    host.open_purse()
    time.sleep(1.0)
    host.expect(host.spend(bytes.fromhex(aes_vectors()["spend_5"])))
    connection.disconnect()


def test_a_torn_card_leaves_the_reader_and_comes_back(
    card: VirtualCard, insert: Insert, tool: Tool
) -> None:
    torn = TearBefore(InProcessConnection(card), nth(1, ins=0xB0))
    reader = insert(torn, reinsert=torn.reinsert)
    assert shown(aes_vectors()["info"]) not in send(tool, SELECT_PURSE, READ_INFO)
    await_empty(tool)
    assert reader.connected.wait(30)
    await_card(tool)
    assert shown(aes_vectors()["info"]) in send(tool, SELECT_PURSE, READ_INFO)


def test_a_fault_inside_never_leaves_the_reader_hanging(
    card: VirtualCard, insert: Insert, tool: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Shim):
        def transmit(self, apdu: bytes) -> bytes:
            if apdu[1] == 0xB0:
                raise RuntimeError("a bug in the simulator")
            return self.inner.transmit(apdu)

    insert(Broken(InProcessConnection(card)))
    with caplog.at_level(logging.CRITICAL, logger="simulator.vpcd"):
        started = time.monotonic()
        send(tool, SELECT_PURSE, READ_INFO)
        assert time.monotonic() - started < 5
    await_card(tool)


def test_stop_takes_the_card_out(card: VirtualCard, insert: Insert, tool: Tool) -> None:
    reader = insert(card)
    reader.stop()
    await_empty(tool)
    assert not reader.connected.is_set()


def test_the_card_is_back_after_pcscd_was_restarted(
    card: VirtualCard,
) -> None:
    with tempfile.TemporaryDirectory(prefix="pcscd") as directory:
        daemon = PrivatePcscd(Path(directory), SystemClock())
        with VirtualReader(InProcessConnection(card), ("127.0.0.1", daemon.port)) as reader:
            for _ in range(2):
                daemon.start()
                assert reader.connected.wait(30)
                daemon.stop()
                for _ in range(100):
                    if not reader.connected.is_set():
                        break
                    time.sleep(0.02)
                assert not reader.connected.is_set()
