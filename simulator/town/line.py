"""The line between a till and the backend: real requests, carried within this process.

:class:`SimulatedLine` is the transport of a till's ``Uplink``. It turns the real HTTP request
into the one that the backend's exchange takes, and its answer into a real one. On the way
everything can happen that happens on lines; all of it from a seed, in town time.
"""

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import httpx2

from cardlib.wire.http_signatures import Answer, Request
from simulator.town.clock import TownTime

ANSWER_TIMEOUT_MS = 20_000
"""How long a till waits in vain."""
_SECOND = 1000
_HOUR = 3600 * _SECOND


class LineFault(StrEnum):
    """What can become of one request."""

    REFUSED = "refused"
    """Nobody takes the connection."""
    REQUEST_LOST = "request_lost"
    ANSWER_LOST = "answer_lost"
    DELAYED = "delayed"
    DOUBLED = "doubled"
    """It arrives twice; the till gets the second answer."""
    REPEATED_LATER = "repeated_later"
    """It is answered, and a copy arrives again after newer ones."""
    HELD_BACK = "held_back"
    """The till waits in vain; it arrives later, after newer ones."""
    REQUEST_CUT = "request_cut"
    REQUEST_CHANGED = "request_changed"
    ANSWER_CUT = "answer_cut"
    """The connection ends in the middle of the answer."""
    ANSWER_SHORT = "answer_short"
    """A proxy passes half of the answer on as if it were whole."""
    ANSWER_CHANGED = "answer_changed"
    PORTAL = "portal"
    """A hotel's page answers instead of the backend."""
    BUSY = "busy"
    """Something before the backend says 503, and how long to wait."""


ALL_FAULTS = tuple(LineFault)
Exchanger = Callable[[Request], Answer]
"""The backend. ConnectionRefusedError where nobody listens; any other ConnectionError when
it dies with the request in its hands."""


@dataclass(frozen=True, slots=True)
class _Held:
    due_ms: int
    request: Request


class SimulatedLine(httpx2.BaseTransport):
    """One till's line. ``density``: the share of requests that meet one of ``kinds``.

    ``up`` is asked whether the line is up now, ``counts`` says what it did.
    """

    def __init__(
        self, exchanger: Exchanger, time: TownTime, seed: int | str = 0, *, density: float = 0.0,
        kinds: Collection[LineFault] = ALL_FAULTS, up: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self.up = up
        self.density = density
        self.counts: Counter[str] = Counter()
        self.heard_ms = time.now_ms
        """When an answer came back last; the line is laid when its till is enrolled."""
        self._exchanger = exchanger
        self._time = time
        self._kinds = tuple(kinds)
        self._held: list[_Held] = []
        self.begin(seed)

    def begin(self, seed: int | str) -> None:
        """Chance begins anew, and planned faults are forgotten; what is held back stays."""
        self._random = random.Random(f"line:{seed}")
        self._planned: dict[int, LineFault] = {}
        self._requests = 0

    def fault_at(self, number: int, variant: int) -> LineFault:
        """The ``number``-th request from now, from 1, meets the fault that ``variant`` chooses."""
        fault = self._kinds[variant % len(self._kinds)]
        self._planned[self._requests + number] = fault
        return fault

    @property
    def held(self) -> int:
        """Copies that have yet to arrive."""
        return len(self._held)

    def deliver_held(self, now_ms: int | None = None) -> int:
        """Hands over what is due; None: everything. Nobody waits for the answers."""
        due = [item for item in self._held if now_ms is None or item.due_ms <= now_ms]
        self._held = [item for item in self._held if item not in due]
        for item in due:
            self.counts["arrived_late"] += 1
            try:
                self._exchanger(item.request)
            except ConnectionError:
                self.counts["arrived_at_nobody"] += 1
        return len(due)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carries one request of an ``Uplink``."""
        self._requests += 1
        fault = self._fault()
        headers = {name.lower(): value for name, value in request.headers.items()}
        carried = Request(request.method, str(request.url), headers, request.read())
        self.counts["requests"] += 1
        if not self.up():
            self.counts["down"] += 1
            raise httpx2.ConnectError("the line is down")
        if fault is None:
            return _response(self._deliver(carried))
        self.counts[fault] += 1
        return self._spoilt(fault, carried)

    def _fault(self) -> LineFault | None:
        planned = self._planned.pop(self._requests, None)
        if planned is not None or self._random.random() >= self.density:
            return planned
        return self._random.choice(self._kinds)

    def _spoilt(self, fault: LineFault, request: Request) -> httpx2.Response:
        match fault:
            case LineFault.REFUSED:
                raise httpx2.ConnectError("refused")
            case LineFault.PORTAL:
                return httpx2.Response(200, stream=_Stream(b"<html>Benvenuti</html>"))
            case LineFault.BUSY:
                wait = str(self._random.choice((0, 1, 30, 600)))
                return httpx2.Response(503, headers={"retry-after": wait}, stream=_Stream(b""))
            case LineFault.REQUEST_LOST:
                raise self._in_vain()
            case LineFault.HELD_BACK:
                self._hold(request)
                raise self._in_vain()
        return self._spoilt_on_the_way(fault, request)

    def _spoilt_on_the_way(self, fault: LineFault, request: Request) -> httpx2.Response:
        """Faults in which something does reach the backend."""
        match fault:
            case LineFault.DELAYED:
                self._time.advance(self._random.randrange(1, ANSWER_TIMEOUT_MS))
            case LineFault.DOUBLED:
                self._deliver(request)
            case LineFault.REPEATED_LATER:
                self._hold(request)
            case LineFault.REQUEST_CUT:
                request = replace(request, body=request.body[: len(request.body) // 2])
            case LineFault.REQUEST_CHANGED:
                request = replace(request, body=self._changed(request.body))
        answer = self._deliver(request)
        match fault:
            case LineFault.ANSWER_LOST:
                raise self._in_vain()
            case LineFault.ANSWER_CUT:
                return _response(answer, breaks=True)
            case LineFault.ANSWER_SHORT:
                answer = replace(answer, body=answer.body[: len(answer.body) // 2])
            case LineFault.ANSWER_CHANGED:
                answer = replace(answer, body=self._changed(answer.body))
        return _response(answer)

    def _deliver(self, request: Request) -> Answer:
        try:
            answer = self._exchanger(request)
        except ConnectionRefusedError as error:
            self.counts["backend_down"] += 1
            raise httpx2.ConnectError("nobody listens") from error
        except ConnectionError as error:
            self.counts["backend_died"] += 1
            raise httpx2.RemoteProtocolError("the server went away") from error
        self.heard_ms = self._time.now_ms
        return answer

    def _hold(self, request: Request) -> None:
        """For a moment, an hour or days: some copies are too old when they arrive."""
        longest = self._random.choice((2 * _SECOND, 60 * _SECOND, _HOUR, 200 * _HOUR))
        self._held.append(_Held(self._time.now_ms + self._random.randrange(longest), request))

    def _in_vain(self) -> httpx2.ReadTimeout:
        self._time.advance(ANSWER_TIMEOUT_MS)
        return httpx2.ReadTimeout("no answer")

    def _changed(self, body: bytes) -> bytes:
        if not body:
            return b"\x00"
        place = self._random.randrange(len(body))
        byte = body[place] ^ (1 << self._random.randrange(8))
        return body[:place] + bytes((byte,)) + body[place + 1 :]


class _Stream(httpx2.SyncByteStream):
    """A body as it comes over a line; ``breaks``: only half of it, and then nobody."""

    def __init__(self, body: bytes, *, breaks: bool = False) -> None:
        self._body = body
        self._breaks = breaks

    def __iter__(self) -> Iterator[bytes]:
        if not self._breaks:
            yield self._body
            return
        yield self._body[: len(self._body) // 2]
        raise httpx2.RemoteProtocolError("the server went away")


def _response(answer: Answer, *, breaks: bool = False) -> httpx2.Response:
    stream = _Stream(answer.body, breaks=breaks)
    return httpx2.Response(answer.status_code, headers=answer.headers, stream=stream)
