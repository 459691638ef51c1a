"""Calls that come too late, to the moment: what was given up is not done afterwards."""

import threading
from concurrent.futures import Future

import pytest

from cardlib.pcsc import worker as module
from cardlib.pcsc.worker import TimeLimitError, Worker

PATIENCE_S = 30.0


def ended(worker: Worker) -> bool:
    pause = threading.Event()
    for _ in range(3000):
        if not worker.alive:
            return True
        pause.wait(0.01)
    return False


def test_a_command_that_waits_behind_a_keep_alive_that_hangs_is_never_sent() -> None:
    asked, answered, sent = threading.Event(), threading.Event(), []

    def keep_alive() -> None:
        asked.set()
        answered.wait(PATIENCE_S)

    worker = Worker(0.001, keep_alive, lambda: None)
    assert asked.wait(PATIENCE_S)
    with pytest.raises(TimeLimitError):
        worker.call(lambda: sent.append("UPDATE"), 0.02)
    answered.set()
    assert ended(worker)
    assert sent == []


def test_an_answer_of_the_last_moment_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class AtTheLimit(Future[bytes]):
        """Time is up just as the answer comes in."""

        def result(self, timeout: float | None = None) -> bytes:
            answer = super().result(PATIENCE_S)
            if timeout is not None:
                raise TimeoutError
            return answer

    monkeypatch.setattr(module, "Future", AtTheLimit)
    worker = Worker(60, lambda: None, lambda: None)
    assert worker.call(lambda: b"\x90\x00", 1) == b"\x90\x00"
    worker.stop(PATIENCE_S)


def test_a_time_out_of_the_call_itself_is_passed_on() -> None:
    worker = Worker(60, lambda: None, lambda: None)

    def refuse() -> None:
        raise TimeoutError("the driver's own")

    with pytest.raises(TimeoutError, match="the driver's own"):
        worker.call(refuse, PATIENCE_S)
    worker.stop(PATIENCE_S)
