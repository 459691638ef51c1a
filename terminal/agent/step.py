"""What the agent does next: one pure function from state and event to state and action.

A *round* carries everything that waits to the backend, has a heartbeat written when one
is due, carries that too, and fetches the bundle when the backend names a newer one::

    RoundBegins ─▶ Upload ⇄ Acknowledged … ─▶ Beat ─▶ Upload … ─▶ FetchBundle ─▶ Rest

and, when the bundle names key sets that the backend does not know to be here, FetchKeys
before the rest.

- Nothing is forgotten because it was sent: the journal decides what waits, and only a
  signed acknowledgement moves it.
- Where the backend accepts less than was sent, what follows is sent all the same, once a
  round, so that nothing lies here alone; the round then ends with a problem.
- A backend that knows less than it acknowledged before (restored from a backup) gets the
  difference again.
- Any problem ends the round with a rest that doubles from time to time, with jitter.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from cardlib.wire.service import CLOCK_OFF
from cardlib.wire.upload import BATCH_ENTRIES_MAX

IDLE_S = 300.0
"""Rest after a good round; a new entry ends it."""
BACKOFF_FIRST_S = 5.0
BACKOFF_MAX_S = 900.0
RETRY_AFTER_MAX_S = 3600.0
"""No service may silence a till for longer."""
_TOO_LARGE = 413
NOT_PLACED = "SYNC_NOT_PLACED"


# --- events


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundBegins:
    """``head`` is the newest entry, ``acknowledged`` the newest that the backend holds."""

    head: int
    acknowledged: int
    bundle: int
    beat_due: bool
    keys_due: bool = False
    """The backend was not told yet that the module holds the bundle's key sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A verified acknowledgement was kept; ``head`` is the newest entry by now."""

    high: int
    bundle: int
    head: int


@dataclass(frozen=True, slots=True)
class Beaten:
    """The heartbeat was written, by us or by the till itself; ``head`` is the newest entry."""

    head: int


@dataclass(frozen=True, slots=True)
class BundleInstalled:
    """A bundle was verified and installed."""

    version: int
    keys_due: bool = False


@dataclass(frozen=True, slots=True)
class KeysTold:
    """The module holds the bundle's key sets, and the backend knows."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something failed. ``jitter`` in [0, 1) is fresh chance; ``final``: trying again is vain."""

    code: str
    jitter: float
    status: int = 0
    retry_after_s: int = 0
    final: bool = False


Event: TypeAlias = RoundBegins | Acknowledged | Beaten | BundleInstalled | KeysTold | Trouble


# --- actions


@dataclass(frozen=True, slots=True)
class Upload:
    """Send at most ``count`` entries after ``after``; none is an upload too."""

    after: int
    count: int


@dataclass(frozen=True, slots=True)
class Beat:
    """See that a heartbeat is written."""


@dataclass(frozen=True, slots=True)
class FetchBundle:
    """Fetch the newest bundle."""


@dataclass(frozen=True, slots=True)
class FetchKeys:
    """Fetch the keys of the bundle's key sets, and say that they are here."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The round is over. ``problem`` is empty after a good one; new entries end a good rest."""

    seconds: float
    problem: str = ""

    @property
    def ends_with_new_entries(self) -> bool:
        """Whether a new entry is reason enough to begin again."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class Stop:
    """A person has to look at it before anything is sent again."""

    problem: str


Action: TypeAlias = Upload | Beat | FetchBundle | FetchKeys | Rest | Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the agent remembers between steps; the journal knows everything that matters."""

    head: int = 0
    cursor: int = 0
    """The next upload begins after this entry."""
    sent: int = 0
    """The last entry of the upload under way."""
    batch: int = BATCH_ENTRIES_MAX
    bundle: int = 0
    bundle_named: int = 0
    beat_due: bool = False
    keys_due: bool = False
    rewound: bool = False
    not_placed: bool = False
    clock_corrected: bool = False
    failures: int = 0
    """Rounds in a row that ended with a problem."""
    action: Action | None = None
    """The last action, to be repeated with a corrected clock."""


def step(state: State, event: Event) -> tuple[State, Action]:
    """The next state and what to do now."""
    action: Action
    match event:
        case RoundBegins():
            state = _begin(state, event)
            action = _upload(state)
        case Acknowledged():
            state = _acknowledged(state, event)
            action = _after_upload(state)
        case Beaten(head):
            state = replace(state, beat_due=False, head=max(state.head, head))
            action = _after_upload(state)
        case BundleInstalled(version, keys_due):
            state = replace(
                state, bundle=max(state.bundle, version), bundle_named=0, keys_due=keys_due
            )
            action = _after_upload(state)
        case KeysTold():
            state = replace(state, keys_due=False)
            action = _after_upload(state)
        case _:
            state, action = _trouble(state, event)
    if isinstance(action, Upload):
        state = replace(state, sent=min(action.after + action.count, state.head))
    if isinstance(action, Rest):
        state = replace(state, failures=state.failures + 1 if action.problem else 0)
    return replace(state, action=action), action


def _begin(state: State, event: RoundBegins) -> State:
    return State(
        head=event.head, cursor=event.acknowledged, batch=state.batch, bundle=event.bundle,
        beat_due=event.beat_due, keys_due=event.keys_due, failures=state.failures,
    )  # fmt: skip


def _upload(state: State) -> Upload:
    return Upload(state.cursor, min(state.batch, max(state.head - state.cursor, 0)))


def _acknowledged(state: State, event: Acknowledged) -> State:
    """Moves the cursor: on, back to what the backend lost, or past what it does not place."""
    state = replace(
        state, head=max(state.head, event.head), bundle_named=event.bundle, clock_corrected=False,
        batch=min(state.batch * 2, BATCH_ENTRIES_MAX),
    )  # fmt: skip
    if event.high >= state.sent:
        return replace(state, cursor=event.high)
    if event.high < state.cursor and not state.rewound:
        return replace(state, cursor=event.high, rewound=True)
    return replace(state, cursor=state.sent, rewound=True, not_placed=True)


def _after_upload(state: State) -> Action:
    if state.cursor < state.head:
        return _upload(state)
    if state.beat_due and not state.not_placed:
        return Beat()
    if state.bundle_named > state.bundle:
        return FetchBundle()
    if state.keys_due:
        return FetchKeys()
    if state.not_placed:
        return Rest(_backoff(state, 0.5), NOT_PLACED)
    return Rest(IDLE_S)


def _trouble(state: State, event: Trouble) -> tuple[State, Action]:
    if event.final:
        return state, Stop(event.code)
    if event.code == CLOCK_OFF and not state.clock_corrected and state.action is not None:
        return replace(state, clock_corrected=True), state.action
    if _too_large(event) and state.batch > 1:
        state = replace(state, batch=state.batch // 2)
        return state, _upload(state)
    wait = max(min(event.retry_after_s, RETRY_AFTER_MAX_S), _backoff(state, event.jitter))
    return state, Rest(wait, event.code)


def _too_large(event: Trouble) -> bool:
    return event.status == _TOO_LARGE or event.code == "BATCH_TOO_LONG"


def _backoff(state: State, jitter: float) -> float:
    """Doubles with each failed round; between half and all of it, so that tills spread."""
    full = min(BACKOFF_FIRST_S * (1 << min(state.failures, 20)), BACKOFF_MAX_S)
    return full * (0.5 + jitter / 2)
