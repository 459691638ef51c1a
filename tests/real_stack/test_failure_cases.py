"""Failure cases that only a PC/SC service can show (docs/failure-cases.md), through pcscd."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cardlib import pcsc
from cardlib.connection import CardConnection
from cardlib.errors import CardMissingError
from simulator.connection import InProcessConnection
from simulator.faults import Shim
from simulator.private_pcscd import PrivatePcscd
from terminal.sale.states import State
from tests.integration.failure_cases.scene import PRICE, UPDATE, Scene, shown_code
from tests.integration.terminal.stage import Customer, Stage
from tests.real_stack.pcscd import Insert, Tool, await_card

pytestmark = pytest.mark.pcsc

LIMIT_S = 60
NOBODY = 65534
OTHER_PROGRAM = """
import sys
from smartcard import scard
_, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
code, _, _ = scard.SCardConnect(
    context, sys.argv[1], int(sys.argv[2]), scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
)
print(code, flush=True)
sys.stdin.read()
"""
NOT_PERMITTED = f"""
import os
from smartcard import scard
from cardlib import pcsc
from cardlib.pcsc import winscard
from cardlib.errors import CardlibError
if os.geteuid() == 0:
    os.setuid({NOBODY})
try:
    print(pcsc.readers())
except CardlibError as error:
    print(type(error).__name__, error.code)
"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    stage = Stage(tmp_path)
    with stage.open_tills:
        yield Scene(stage, stage.card(), stage.till())


class AtUpdate(Shim):
    """Does something to the world when the card has just been debited."""

    def __init__(self, inner: CardConnection, daemon: PrivatePcscd) -> None:
        super().__init__(inner)
        self._daemon = daemon
        self.struck = False

    def transmit(self, apdu: bytes) -> bytes:
        answer = self.inner.transmit(apdu)
        if apdu[1] == UPDATE and not self.struck:
            self.struck = True
            self._daemon.stop()
        return answer


def test_case_22_pcscd_dies_with_the_answer_of_the_debit_and_comes_back(
    scene: Scene, insert: Insert, pcscd: PrivatePcscd, tool: Tool
) -> None:
    insert(AtUpdate(InProcessConnection(scene.card.card), pcscd))
    connection = pcsc.connect()
    shop = scene.customer(connection)
    sale = scene.agreed(connection)
    try:
        assert sale.commit().state is State.UNKNOWN
        assert shown_code(pcsc.readers) == "PCSC_MISSING"
    finally:
        pcscd.start()
    connection.close()
    await_card(tool)
    again = pcsc.connect()
    assert sale.resolve(shop.counter.card(again)).goods_are_due
    sale.finish()
    again.close()
    scene.holds(PRICE)
    with customer_at(scene) as next_one:
        assert next_one.buy(1_00).goods_are_due
    scene.holds(PRICE + 1_00)


def test_case_23_a_socket_that_this_user_may_not_open(
    scene: Scene, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(scene.card.card)
    before = pcscd.socket.stat().st_mode
    pcscd.socket.chmod(0)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", NOT_PERMITTED],
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    finally:
        pcscd.socket.chmod(before)
    told = ended.stdout.split()
    assert told, ended.stderr
    assert told[0] == "ServiceMissingError"
    assert told[1] in ("PCSC_MISSING", "PCSC_NOT_PERMITTED")
    with customer_at(scene) as permitted:
        assert permitted.buy(PRICE).goods_are_due
    scene.holds(PRICE)


def test_case_24_another_program_holds_the_reader(
    scene: Scene, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(scene.card.card)
    with other_program(pcscd.reader_name(0), exclusive=True):
        assert shown_code(pcsc.connect) == "READER_BUSY"
    scene.holds(0)
    with customer_at(scene) as alone:
        assert alone.buy(PRICE).goods_are_due
    scene.holds(PRICE)


def test_case_24_another_program_that_shares_the_reader_does_no_harm(
    scene: Scene, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(scene.card.card)
    with other_program(pcscd.reader_name(0), exclusive=False), customer_at(scene) as shop:
        assert shop.buy(PRICE).goods_are_due
    scene.holds(PRICE)


def test_case_26_two_readers_and_the_card_in_the_other_one(
    scene: Scene, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(scene.card.card, slot=1)
    with pytest.raises(CardMissingError):
        pcsc.connect(pcscd.reader_name(0))
    with customer_at(scene) as shop:
        assert shop.buy(PRICE).goods_are_due
    scene.holds(PRICE)


def test_case_26_two_cards_and_the_reader_that_is_named_is_taken(
    scene: Scene, insert: Insert, pcscd: PrivatePcscd
) -> None:
    other = scene.stage.card(number=2)
    insert(other.card, slot=0)
    insert(scene.card.card, slot=1)
    with customer_at(scene, pcscd.reader_name(1)) as shop:
        sale = shop.session()
        sale.read()
        sale.stop()
        assert shop.buy(PRICE).goods_are_due
    scene.holds(PRICE)
    assert other.newest().ctr == 0


@contextmanager
def customer_at(scene: Scene, reader: str | None = None) -> Iterator[Customer]:
    """The card's holder, over PC/SC."""
    connection = pcsc.connect(reader)
    try:
        yield scene.customer(connection)
    finally:
        connection.close()


@contextmanager
def other_program(reader: str, *, exclusive: bool) -> Iterator[None]:
    """Another process that is connected to the card in ``reader``."""
    mode = 1 if exclusive else 2
    program = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROGRAM, reader, str(mode)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with program:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == "0"
        yield
        program.communicate(timeout=LIMIT_S)
