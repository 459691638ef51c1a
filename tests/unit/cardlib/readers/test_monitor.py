"""The monitor: what it tells, in which order, and that nothing ends it."""

from collections.abc import Callable, Iterator

import pytest
import time_machine

from cardlib.monitor import (
    CardIn,
    CardOut,
    Event,
    Monitor,
    ReaderAdded,
    ReaderGone,
    ServiceBack,
    ServiceLost,
    monitor,
)
from cardlib.monitor.snapshot import Seen, Snapshot, happened
from cardlib.pcsc.codes import Code
from cardlib.pcsc.service import ReaderState, StateFlag
from tests.unit.cardlib.readers.heard import Heard
from tests.unit.cardlib.readers.service import ATR, Card, Context, Service

A, B = "Reader A 00 00", "Reader B 01 00"
OTHER_ATR = bytes.fromhex("3B00")


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(monitor, "RETRY_S", 0.01)
    return Service()


@pytest.fixture
def watching(service: Service) -> Iterator[Callable[[], Heard]]:
    with Monitor(service.establish) as watched:

        def listen() -> Heard:
            assert watched.await_first_look(5)
            heard = Heard()
            watched.subscribe(heard.hear)
            return heard

        yield listen


Listen = Callable[[], Heard]


def test_readers_and_cards_come_and_go(service: Service, watching: Listen) -> None:
    heard = watching()
    service.add(A)
    assert heard.next() == [ReaderAdded(A)]
    service.insert(A, Card())
    assert heard.next() == [CardIn(A, ATR)]
    service.pull(A)
    assert heard.next() == [CardOut(A)]
    service.insert(A, Card())
    assert heard.next() == [CardIn(A, ATR)]
    service.remove(A)
    assert heard.next(2) == [CardOut(A), ReaderGone(A)]


def test_a_swap_between_two_looks_is_two_events(service: Service, watching: Listen) -> None:
    service.add(A, Card())
    heard = watching()
    heard.next(2)
    service.swap(A, Card())
    assert heard.next(2) == [CardOut(A), CardIn(A, ATR)]


def test_who_comes_late_is_told_how_things_are_first(service: Service, watching: Listen) -> None:
    service.add(A, Card())
    service.add(B)
    watching().next(3)
    late = watching()
    assert late.next(3) == [ReaderAdded(A), CardIn(A, ATR), ReaderAdded(B)]
    service.pull(A)
    assert late.next() == [CardOut(A)]


def test_who_comes_late_to_a_lost_service_is_told_so(service: Service, watching: Listen) -> None:
    service.kill()
    watching().next()
    assert watching().next() == [ServiceLost("PCSC_MISSING")]


def test_the_daemon_is_killed_and_comes_back_with_its_readers_under_other_names(
    service: Service, watching: Listen
) -> None:
    service.add(A, Card())
    heard = watching()
    heard.next(2)
    service.kill()
    assert heard.next(3) == [CardOut(A), ReaderGone(A), ServiceLost("PCSC_MISSING")]
    service.restart(B)
    assert heard.next(3) == [ServiceBack(), ReaderAdded(B), CardIn(B, ATR)]
    service.pull(B)
    assert heard.next() == [CardOut(B)]


def test_a_dead_context_is_given_back(service: Service, watching: Listen) -> None:
    heard = watching()
    for _ in range(3):
        service.kill()
        heard.next()
        service.restart()
        heard.next()
    assert service.open_contexts == 1


def test_the_last_reader_goes_and_another_comes(service: Service, watching: Listen) -> None:
    service.add(A)
    heard = watching()
    heard.next()
    service.remove(A)
    assert heard.next() == [ReaderGone(A)]
    service.add(B, Card())
    assert heard.next(2) == [ReaderAdded(B), CardIn(B, ATR)]


def test_being_refused_is_told_apart_from_not_running(service: Service, watching: Listen) -> None:
    service.refuses = Code.SECURITY_VIOLATION
    service.add(A)
    heard = watching()
    heard.next()
    service.kill()
    assert heard.next(2) == [ReaderGone(A), ServiceLost("PCSC_MISSING")]
    service.refuses = Code.SECURITY_VIOLATION
    assert heard.next() == [ServiceLost("PCSC_NOT_PERMITTED")]


def test_whatever_goes_wrong_inside_it_goes_on(
    service: Service,
    watching: Listen,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    heard = watching()
    with monkeypatch.context() as broken:
        broken.setattr(Context, "readers", lambda _self: 1 / 0)
        service.add(A)
        assert heard.next() == [ServiceLost("PCSC_MISSING")]
    assert heard.next(2) == [ServiceBack(), ReaderAdded(A)]
    assert capfd.readouterr() == ("", ""), "a trace would spoil the till's screen"


def clumsy(_event: Event) -> None:
    raise RuntimeError("a listener's own mistake")


def test_a_listener_that_fails_harms_nobody(service: Service, watching: Listen) -> None:
    with Monitor(service.establish) as watched:
        heard = Heard()
        watched.subscribe(clumsy)
        watched.subscribe(heard.hear)
        service.add(A)
        assert heard.next() == [ReaderAdded(A)]
        service.insert(A, Card())
        assert heard.next() == [CardIn(A, ATR)]


def test_the_wall_clock_may_jump(service: Service, watching: Listen) -> None:
    heard = watching()
    with time_machine.travel("2040-01-01"):
        service.add(A)
        assert heard.next() == [ReaderAdded(A)]
    with time_machine.travel("2001-01-01"):
        service.insert(A, Card())
        assert heard.next() == [CardIn(A, ATR)]


def test_stopped_it_says_nothing_any_more_and_leaves_nothing_open(service: Service) -> None:
    watched, heard = Monitor(service.establish), Heard()
    watched.start()
    watched.subscribe(heard.hear)
    assert service.waiting.wait(30)
    watched.stop()
    service.add(A)
    assert heard.silent
    assert service.open_contexts == 0


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_pyscard() -> Context:
        raise ImportError

    with Monitor(without_pyscard) as watched:
        assert watched.await_first_look(5)
        heard = Heard()
        watched.subscribe(heard.hear)
        assert heard.next() == [ServiceLost("PCSC_LIBRARY_MISSING")]


# the pure part ------------------------------------------------------------------------------


def test_a_reader_that_the_service_does_not_know_is_not_there() -> None:
    unknown = ReaderState(A, StateFlag.UNKNOWN | StateFlag.UNAVAILABLE)
    assert Snapshot.of([unknown]) == Snapshot({})


def test_without_a_counter_another_atr_is_another_card() -> None:
    before, after = Snapshot({A: Seen(ATR)}), Snapshot({A: Seen(OTHER_ATR)})
    assert list(happened(before, after)) == [CardOut(A), CardIn(A, OTHER_ATR)]


def test_cards_leave_before_readers_and_readers_before_the_service() -> None:
    before = Snapshot({A: Seen(ATR, 1), B: Seen()})
    lost = Snapshot(lost="PCSC_MISSING")
    assert list(happened(before, lost)) == [
        CardOut(A), ReaderGone(A), ReaderGone(B), ServiceLost("PCSC_MISSING"),
    ]  # fmt: skip
    assert list(happened(lost, lost)) == []


def test_a_counter_that_moves_without_a_card_is_no_event() -> None:
    assert list(happened(Snapshot({A: Seen(None, 2)}), Snapshot({A: Seen(None, 4)}))) == []
