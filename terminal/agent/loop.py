"""The agent: does what ``step`` says, on a real journal and a real line.

It may be killed anywhere. What it keeps is kept by the journal: acknowledgements and
installed bundles. It never changes or deletes an entry.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cardlib.errors import CardlibError
from cardlib.ports import Clock, Randomness
from cardlib.wire.module_keys import HeldSet
from cardlib.wire.service import CLOCK_OFF
from cardlib.wire.upload import Batch
from terminal.agent import heartbeat
from terminal.agent.allowance import Allowance
from terminal.agent.errors import RefusedError, SyncError
from terminal.agent.step import (
    Acknowledged,
    Action,
    Beat,
    Beaten,
    BundleInstalled,
    Event,
    FetchBundle,
    FetchKeys,
    KeysTold,
    Rest,
    RoundBegins,
    State,
    Stop,
    Trouble,
    Upload,
    step,
)
from terminal.agent.uplink import Uplink
from terminal.errors import JournalError
from terminal.journal.acknowledgements import Quarantined
from terminal.journal.journal import JournalReader
from terminal.till import Till

ROUND_STEPS_MAX = 100_000
"""No journal needs more: one upload carries hundreds of entries."""
NAP_S = 2.0
"""How often a rest is interrupted to look for new entries, or for the end."""
_FINAL = frozenset({"ACKNOWLEDGEMENT_FOREIGN"})
"""Two journals under one terminal number: sending on would only make it worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """What one round did, and what still lies here.

    ``problem`` is a code of the catalogue, empty after a good round; ``pending`` entries
    are not acknowledged yet; ``quarantined`` ones the backend keeps for a person.
    """

    sent: int
    pending: int
    quarantined: tuple[Quarantined, ...]
    bundle: int
    rest_s: float
    problem: str = ""
    final: bool = False


class AgentLock:
    """One agent a till: a second one is refused with ``SYNC_RUNNING``."""

    def __init__(self, till: Till) -> None:
        try:
            self._lock = till.files.storage.hold(till.files.agent_lock)
        except JournalError as error:
            raise SyncError("SYNC_RUNNING") from error

    def __enter__(self) -> "AgentLock":
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Agent:
    """Synchronises one till. ``checkpoint`` is told each durable step: a test kills there."""

    def __init__(
        self, till: Till, uplink: Uplink, clock: Clock, randomness: Randomness, *,
        beat: Callable[[Till], bool] = heartbeat.beat_when_free,
        checkpoint: Callable[[str], None] = lambda _name: None,
    ) -> None:  # fmt: skip
        self._till = till
        self._uplink = uplink
        self._clock = clock
        self._randomness = randomness
        self._beat = beat
        self._checkpoint = checkpoint
        self._allowance = Allowance(till, uplink)
        self._state = State()
        self._sent = 0
        self._told: frozenset[HeldSet] = frozenset()
        """Key sets that this process has told the backend to be here."""

    def round(self, *, beat_due: bool | None = None) -> RoundReport:
        """Everything that waits, once. ``beat_due``: None asks the journal."""
        self._sent = 0
        with self._till.read_journal() as reader:
            event: Event = self._begin(reader, beat_due=beat_due)
            for _ in range(ROUND_STEPS_MAX):
                self._state, action = step(self._state, event)
                if isinstance(action, Rest | Stop):
                    return self._report(reader, self._renewed(action))
                event = self._do(reader, action)
        raise SyncError("SYNC_PROBLEM")

    def run(
        self, told: Callable[[RoundReport], None], stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """Round after round until ``stopping``, or until a person has to look at it."""
        while not stopping():
            report = self.round()
            told(report)
            if report.final:
                return
            self._rest(report, stopping)

    def _begin(self, reader: JournalReader, *, beat_due: bool | None) -> RoundBegins:
        if beat_due is None:
            beat_due = heartbeat.is_due(reader.views, self._clock.unix_ms())
        return RoundBegins(
            head=reader.views.head().seq,
            acknowledged=reader.acknowledgements.uploaded().seq,
            bundle=self._bundle_version(),
            beat_due=beat_due,
            keys_due=self._keys_due(),
        )

    def _do(self, reader: JournalReader, action: Action) -> Event:
        try:
            match action:
                case Upload(after, count):
                    return self._upload(reader, after, count)
                case FetchBundle():
                    return self._fetch_bundle(reader)
                case FetchKeys():
                    return self._fetch_keys()
                case Beat():
                    self._beat(self._till)
                    return Beaten(reader.views.head().seq)
                case _:
                    raise AssertionError(action)
        except RefusedError as refused:
            if refused.code == CLOCK_OFF:
                self._uplink.correct_clock(refused.server_time)
            return Trouble(refused.code, self._jitter(), refused.status, refused.retry_after_s)
        except CardlibError as error:
            status = int(error.facts.get("status", 0))
            return Trouble(error.code, self._jitter(), status, final=error.code in _FINAL)

    def _renewed(self, action: Rest | Stop) -> Rest | Stop:
        """After a good round a module card's allowance is renewed."""
        if isinstance(action, Stop) or action.problem:
            return action
        return replace(action, problem=self._allowance.renew())

    def _upload(self, reader: JournalReader, after: int, count: int) -> Acknowledged:
        entries = tuple(item.complete for item in reader.views.entries(after, count))
        if entries:
            reader.make_durable()
        complete, answer = self._uplink.upload(Batch(self._till.certificate.terminal, entries))
        self._checkpoint("answered")
        reader.acknowledgements.record(complete, answer)
        self._checkpoint("acknowledged")
        self._sent += len(entries)
        head = reader.views.head().seq
        return Acknowledged(high=answer.high_seq, bundle=answer.bundle_version, head=head)

    def _fetch_bundle(self, reader: JournalReader) -> BundleInstalled:
        bundle = self._till.install_bundle(self._uplink.bundle(), reader)
        self._checkpoint("bundle")
        return BundleInstalled(bundle.version, self._keys_due())

    def _fetch_keys(self) -> KeysTold:
        """Takes what is missing; what is here is said to be here only once it is kept."""
        wanted, till = self._till.key_sets_wanted(), self._till
        request = till.key_request()
        if not wanted <= set(request.held):
            till.install_keys(self._uplink.module_keys(request))
            self._checkpoint("keys")
        self._uplink.module_keys(till.key_request())
        self._told = wanted
        return KeysTold()

    def _keys_due(self) -> bool:
        return not self._till.key_sets_wanted() <= self._told

    def _report(self, reader: JournalReader, action: Rest | Stop) -> RoundReport:
        return RoundReport(
            sent=self._sent,
            pending=reader.acknowledgements.pending_count(),
            quarantined=tuple(reader.acknowledgements.quarantined()),
            bundle=self._bundle_version(),
            rest_s=action.seconds if isinstance(action, Rest) else 0.0,
            problem=action.problem,
            final=isinstance(action, Stop),
        )

    def _rest(self, report: RoundReport, stopping: Callable[[], bool]) -> None:
        """Sleeps in naps; after a good round a new entry is reason enough to get up."""
        end_ms = self._clock.monotonic_ms() + int(report.rest_s * 1000)
        while not stopping():
            left_s = (end_ms - self._clock.monotonic_ms()) / 1000
            if left_s <= 0 or (not report.problem and self._has_news()):
                return
            self._clock.sleep(min(NAP_S, left_s))

    def _has_news(self) -> bool:
        with self._till.read_journal() as reader:
            return reader.acknowledgements.pending_count() > 0

    def _bundle_version(self) -> int:
        """Of the bundle in use; 0 without one, so that a lost file is fetched again."""
        return self._till.trust.bundle.version if self._till.trust.bundle else 0

    def _jitter(self) -> float:
        return int.from_bytes(self._randomness.bytes(4), "big") / 2**32
