"""The one thread that works with card and journal, so that the screen never waits.

Jobs run one after another; in the pauses it looks for cards that come and go. What it
has to tell it posts as messages, which Textual takes from any thread.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Queue

from textual.message import Message

from cardlib.errors import CardlibError
from cardlib.monitor import CardWatch
from terminal.counter import Counter
from terminal.ui.card_slot import CardSlot, OpenCard
from terminal.ui.messages import WorkerStopped
from terminal.ui.serving import Serving

Job = Callable[[], None]


class CounterWorker:
    """Serves customers in a thread of its own, from :meth:`start` to :meth:`close`.

    ``post`` takes the messages; ``poll_s``: how often to look at the reader, in seconds;
    with a ``watch`` it looks at once when something happens there.
    """

    def __init__(
        self,
        counter: Counter,
        open_card: OpenCard,
        lang: str,
        post: Callable[[Message], object],
        poll_s: float,
        watch: CardWatch | None = None,
    ) -> None:
        self.serving = Serving(counter, CardSlot(open_card, watch), lang, post)
        self._post = post
        self._poll_s = poll_s
        self._jobs: Queue[Job | None] = Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="counter")
        if watch is not None:
            watch.wake = lambda: self._jobs.put(self.serving.look)

    def start(self) -> None:
        """Begins; what is open from before is told first."""
        self._jobs.put(self.serving.start)
        self._thread.submit(self._work).add_done_callback(self._stopped)

    def submit(self, job: Job) -> None:
        """Has a method of ``serving`` called in its turn."""
        self._jobs.put(job)

    def close(self) -> None:
        """Waits until the card has done what it is doing, then lets it go."""
        self._jobs.put(None)
        self._thread.shutdown()

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._run(job)
        finally:
            self.serving.close()

    def _next(self) -> Job | None:
        try:
            return self._jobs.get(timeout=self._poll_s)
        except Empty:
            return self.serving.look

    def _run(self, job: Job) -> None:
        try:
            job()
            self.serving.tell_status()
        except CardlibError as error:
            self.serving.failed(error)

    def _stopped(self, work: Future[None]) -> None:
        self._post(WorkerStopped(work.exception()))
