"""Readers, cards and the service as they come and go, through the real pcscd."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cardlib import pcsc
from cardlib.connection import CardConnection
from cardlib.errors import (
    CardGoneError,
    CardMissingError,
    CardSilentError,
    PresenceError,
    ReaderMissingError,
)
from cardlib.monitor import (
    CardIn,
    CardOut,
    CardWatch,
    Monitor,
    ReaderAdded,
    ReaderGone,
    ServiceBack,
    ServiceLost,
)
from cardlib.pcsc import PcscConnection, Search, TimeLimits
from simulator.card.card import VirtualCard
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.faults import Shim
from simulator.private_pcscd import DEVICE, PrivatePcscd
from simulator.vpcd import VirtualReader
from terminal.ui.card_slot import CardSlot, Change
from tests.real_stack.pcscd import Insert
from tests.unit.cardlib.readers.hanging import until_nothing_hangs
from tests.unit.cardlib.readers.heard import PATIENCE_S, Heard
from tests.unit.simulator.host import purse_memory

pytestmark = pytest.mark.pcsc

SELECT = bytes.fromhex("00A4080C041200B001")
QUICK = TimeLimits(open_s=1.0, transmit_s=1.0)
OTHER = "Altro lettore"
OTHER_PROGRAM = """
import sys
from smartcard import scard
_, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
code, card, _ = scard.SCardConnect(
    context, sys.argv[1], int(sys.argv[2]), scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
)
code = code or scard.SCardBeginTransaction(card)
print(code, flush=True)
sys.stdin.read()
scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
"""
SHARED, EXCLUSIVE = 2, 1


@pytest.fixture
def card() -> VirtualCard:
    return VirtualCard(purse_memory(), SeededRandomness("reader service"))


@pytest.fixture
def monitor(pcscd: PrivatePcscd) -> Iterator[Monitor]:
    with Monitor() as watching:
        assert watching.await_first_look(PATIENCE_S)
        yield watching


@pytest.fixture
def heard(monitor: Monitor, pcscd: PrivatePcscd) -> Heard:
    """All that happens from now on; the two readers that are there are heard already."""
    heard = Heard()
    monitor.subscribe(heard.hear)
    assert heard.next(2) == [ReaderAdded(pcscd.reader_name(slot)) for slot in (0, 1)]
    return heard


@contextmanager
def other_program(reader: str, mode: int) -> Iterator[None]:
    """Another process that has the card in ``reader``, in a transaction."""
    program = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROGRAM, reader, str(mode)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with program:
        assert program.stdout is not None
        assert program.stdout.readline().strip() == "0"
        yield
        program.communicate(timeout=60)


# events -----------------------------------------------------------------------------------------


def test_a_card_comes_and_goes(
    heard: Heard, card: VirtualCard, insert: Insert, pcscd: PrivatePcscd
) -> None:
    reader = insert(card, slot=1)
    assert heard.next() == [CardIn(pcscd.reader_name(1), card.atr)]
    connection = pcsc.connect()
    connection.transmit(SELECT)
    connection.close()
    reader.stop()
    assert heard.next() == [CardOut(pcscd.reader_name(1))], "using the card is no event"


def test_the_daemon_is_killed_and_its_reader_comes_back_under_another_name(
    heard: Heard, card: VirtualCard, insert: Insert, breakable: PrivatePcscd
) -> None:
    insert(card)
    heard.next()
    breakable.kill()
    assert heard.until(ServiceLost("PCSC_MISSING"))[:2] == [
        CardOut(breakable.reader_name(0)),
        ReaderGone(breakable.reader_name(0)),
    ]
    breakable.install(OTHER)
    breakable.start()
    renamed = breakable.reader_name(0, OTHER)
    assert heard.next(2) == [ServiceBack(), ReaderAdded(renamed)]
    assert CardIn(renamed, card.atr) in heard.until(CardIn(renamed, card.atr))


def test_the_daemon_may_be_killed_quicker_than_anybody_looks(
    heard: Heard, breakable: PrivatePcscd
) -> None:
    for _ in range(3):
        breakable.kill()
        breakable.start()
        heard.until(ServiceBack())
        heard.next(2)


def test_the_last_reader_goes_and_readers_come_again(
    heard: Heard, card: VirtualCard, insert: Insert, breakable: PrivatePcscd
) -> None:
    breakable.kill()
    breakable.install()
    breakable.start()
    heard.until(ServiceBack())
    assert pcsc.readers() == []
    with pytest.raises(ReaderMissingError):
        pcsc.connect()
    breakable.kill()
    breakable.install(DEVICE, OTHER)
    breakable.start()
    heard.until(ServiceBack())
    assert {event.reader for event in heard.next(4) if isinstance(event, ReaderAdded)} == {
        breakable.reader_name(slot, device) for slot in (0, 1) for device in (DEVICE, OTHER)
    }


# which reader -------------------------------------------------------------------------------------


def test_the_customers_reader_and_the_modules_slot_are_told_apart_by_patterns(
    card: VirtualCard, breakable: PrivatePcscd, insert: Insert
) -> None:
    breakable.kill()
    breakable.install("Banco", "Modulo SAM")
    breakable.start()
    module = VirtualCard(purse_memory(), SeededRandomness("module"))
    address = ("127.0.0.1", breakable.port + 2)
    with VirtualReader(InProcessConnection(module), address):
        insert(card, slot=0)
        connection = pcsc.connect(besides="sam")
        assert connection.reader == breakable.reader_name(0, "Banco")
        connection.close()
        beside = pcsc.connect("modulo*")
        assert beside.reader == breakable.reader_name(0, "Modulo SAM")
        beside.close()
        with pytest.raises(ReaderMissingError):
            pcsc.connect("sam", besides="SAM")


# other programs -----------------------------------------------------------------------------------


def slot_of(monitor: Monitor, limits: TimeLimits = QUICK) -> CardSlot:
    return CardSlot(lambda: PcscConnection(Search(), limits), CardWatch(monitor))


def look_until(slot: CardSlot, change: Change) -> None:
    pause = threading.Event()
    for _ in range(400):
        if slot.look() is change:
            return
        pause.wait(0.05)
    pytest.fail(f"the slot never said {change.name}, but {slot.trouble}")


def trouble(slot: CardSlot) -> str:
    return "" if slot.trouble is None else slot.trouble.code


@pytest.mark.parametrize("mode", [SHARED, EXCLUSIVE])
def test_another_program_has_the_card_and_the_till_goes_on_when_it_lets_go(
    mode: int, monitor: Monitor, card: VirtualCard, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(card)
    slot = slot_of(monitor)
    with other_program(pcscd.reader_name(0), mode):
        for _ in range(3):
            assert slot.look() is None
        assert trouble(slot) == "READER_BUSY"
    look_until(slot, Change.ENTERED)
    assert trouble(slot) == ""
    assert slot.connection.transmit(SELECT) == b"\x90\x00"
    slot.let_go()


def test_who_looks_at_the_card_meanwhile_waits_and_sees_no_open_purse(
    card: VirtualCard, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(card)
    ours = pcsc.connect()
    ours.transmit(SELECT)
    with pytest.raises(PresenceError) as caught:
        PcscConnection(Search(), QUICK)
    assert caught.value.code == "READER_BUSY"
    ours.close()


# cards that cannot be spoken with -----------------------------------------------------------------


class GarbageAtr(Shim):
    """A contact that chatters."""

    @property
    def atr(self) -> bytes:
        return bytes.fromhex("000102030405")


def test_a_card_that_introduces_itself_as_nobody_can_understand(
    monitor: Monitor, card: VirtualCard, insert: Insert
) -> None:
    insert(GarbageAtr(InProcessConnection(card)))
    attempts = 0

    def counted() -> CardConnection:
        nonlocal attempts
        attempts += 1
        return pcsc.connect()

    slot = CardSlot(counted, CardWatch(monitor))
    for _ in range(5):
        assert slot.look() is None
    assert isinstance(slot.trouble, CardSilentError)
    assert slot.trouble.code == "CARD_PROTOCOL"
    assert attempts == 1, "it is not asked again until it is put in anew"


# a reader that hangs ------------------------------------------------------------------------------


class SilentPeer:
    """A card in the reader that never answers a command, nor hangs up, until let go."""

    def __init__(self, port: int, atr: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._atr = atr
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def let_go(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while len(head := self._socket.recv(2)) == 2:
            if self._socket.recv(int.from_bytes(head, "big")) == b"\x04":
                self._socket.sendall(len(self._atr).to_bytes(2, "big") + self._atr)


def test_a_card_that_never_answers_costs_a_time_limit_and_not_the_till(
    monitor: Monitor, heard: Heard, card: VirtualCard, insert: Insert, pcscd: PrivatePcscd
) -> None:
    slot, peer = slot_of(monitor), SilentPeer(pcscd.port, card.atr)
    assert heard.next() == [CardIn(pcscd.reader_name(0), card.atr)]
    assert slot.look() is Change.ENTERED
    with pytest.raises(CardGoneError) as caught:
        slot.connection.transmit(SELECT)
    assert caught.value.code == "READER_SILENT"
    slot.let_go()
    threads = threading.active_count()
    for _ in range(3):
        assert slot.look() is None
        assert trouble(slot) == "READER_SILENT"
    assert threading.active_count() == threads, "one thread hangs, not one more a try"
    peer.let_go()
    assert heard.next() == [CardOut(pcscd.reader_name(0))]
    insert(card)
    look_until(slot, Change.ENTERED)
    assert slot.connection.transmit(SELECT) == b"\x90\x00"
    slot.let_go()


def test_the_other_slot_serves_while_one_hangs(
    monitor: Monitor, heard: Heard, card: VirtualCard, insert: Insert, pcscd: PrivatePcscd
) -> None:
    insert(card, slot=1)
    slot, peer = slot_of(monitor), SilentPeer(pcscd.port, card.atr)
    heard.until(CardIn(pcscd.reader_name(0), card.atr))
    assert slot.look() is Change.ENTERED
    with pytest.raises(CardGoneError):
        slot.connection.transmit(SELECT)
    slot.let_go()
    assert slot.look() is Change.ENTERED
    assert slot.connection.transmit(SELECT) == b"\x90\x00"
    slot.let_go()
    peer.let_go()
    heard.until(CardOut(pcscd.reader_name(0)))


def test_a_service_that_is_there_and_never_answers(
    card: VirtualCard, insert: Insert, breakable: PrivatePcscd
) -> None:
    insert(card)
    breakable.freeze()
    for _ in range(3):
        with pytest.raises(PresenceError) as caught:
            PcscConnection(Search(), QUICK)
        assert caught.value.code == "PCSC_SILENT"
    breakable.thaw()
    until_nothing_hangs("")
    connection = PcscConnection(Search(), QUICK)
    assert connection.transmit(SELECT) == b"\x90\x00"
    connection.close()


# the way back -------------------------------------------------------------------------------------


def test_a_connection_is_made_anew_where_the_reader_came_back(
    card: VirtualCard, insert: Insert, breakable: PrivatePcscd, heard: Heard
) -> None:
    insert(card)
    heard.next()
    connection = pcsc.connect()
    breakable.kill()
    with pytest.raises(CardGoneError):
        connection.transmit(SELECT)
    with pytest.raises(CardGoneError) as caught:
        connection.reset()
    assert caught.value.code == "PCSC_MISSING"
    breakable.install(OTHER)
    breakable.start()
    heard.until(CardIn(breakable.reader_name(0, OTHER), card.atr))
    connection.reset()
    assert connection.reader == breakable.reader_name(0, OTHER)
    assert connection.transmit(SELECT) == b"\x90\x00"
    connection.close()


def test_an_empty_reader_is_not_a_missing_card_service(pcscd: PrivatePcscd) -> None:
    with pytest.raises(CardMissingError):
        pcsc.connect()
