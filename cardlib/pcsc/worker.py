"""A thread for calls that may never return, so that whoever asks gets an answer in time.

A driver can hang in a command for as long as it likes (a USB reader that stopped
answering, a peer that neither answers nor closes), and PC/SC has no call that ends it.
So each connection makes its calls in a thread of its own; when one takes too long, the
thread is given up with everything it holds. It ends by itself when the call returns, and
what it had not begun by then is never done: nobody would hear of it.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_Job = tuple[Callable[[], Any], "Future[Any]"]


class TimeLimitError(Exception):
    """The call has not returned in time; the worker is given up."""


class Worker:
    """Makes calls one after another. For one caller at a time.

    ``idle`` is called in the thread whenever nothing was asked for ``idle_s`` seconds;
    ``clean_up`` last of all, also when a call that was given up has returned at last.
    Neither may raise.
    """

    def __init__(
        self, idle_s: float, idle: Callable[[], None], clean_up: Callable[[], None]
    ) -> None:
        self._idle_s = idle_s
        self._idle = idle
        self._clean_up = clean_up
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._given_up = False
        self._thread = threading.Thread(target=self._work, name="pcsc", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread has not ended yet."""
        return self._thread.is_alive()

    def call(self, job: Callable[[], T], limit_s: float) -> T:
        """What ``job`` returns or raises; TimeLimitError after ``limit_s`` seconds.

        A job that had not begun by then, because the one before it hangs, never does.
        """
        result: Future[T] = Future()
        self._jobs.put((job, result))
        try:
            return result.result(limit_s)
        except TimeoutError:
            if result.done():  # the job's own, or it has come in the very last moment
                return result.result()
            result.cancel()
            self._given_up = True
            self._jobs.put(None)
            raise TimeLimitError from None

    def stop(self, limit_s: float) -> None:
        """Has it clean up and end; waits ``limit_s`` seconds at most, not when given up."""
        self._jobs.put(None)
        if not self._given_up:
            self._thread.join(limit_s)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                _do(*job)
        finally:
            self._clean_up()

    def _next(self) -> _Job | None:
        while True:
            try:
                return self._jobs.get(timeout=self._idle_s)
            except queue.Empty:
                self._idle()


def _do(job: Callable[[], Any], result: "Future[Any]") -> None:
    if not result.set_running_or_notify_cancel():
        return
    try:
        result.set_result(job())
    except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
        result.set_exception(error)
