"""A till of the town: its machine, the process that sells, and the one that synchronises."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random

from cardlib.codec.purse import SpendType
from cardlib.ports import Randomness
from cardlib.wire.batch_close import BatchClose
from cardlib.wire.enrolment import EnrolmentAnswer
from cardlib.wire.entry_body import Committed, Intent
from simulator.town.actors.founding import Founding
from simulator.town.clock import DeviceClock, TownTime
from simulator.town.disk import DiskCopy, SimulatedDisk
from simulator.town.hall import Hall
from simulator.town.line import SimulatedLine
from terminal.agent import heartbeat
from terminal.agent.loop import Agent, RoundReport
from terminal.agent.uplink import Uplink
from terminal.counter import Counter
from terminal.errors import JournalError
from terminal.journal.journal import JournalReader
from terminal.statement_check import Fault, compare_statement
from terminal.till import Till
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import TillKeys

URL = "https://backend.town"


class Register:
    """One till, enrolled. ``till`` and ``counter`` are there while it sells."""

    def __init__(
        self, shop: str, number: int, time: TownTime, randomness: Randomness, hall: Hall, *,
        drift_ppm: int = 0,
    ) -> None:  # fmt: skip
        self.shop = shop
        self.number = number
        self.clock = DeviceClock(time, f"{shop}:{number}", drift_ppm=drift_ppm)
        self.line = SimulatedLine(hall.answer, time, up=lambda: self.online)
        self.till: Till | None = None
        self.counter: Counter | None = None
        self.gone = False
        """Stolen, or given up for a new one."""
        self.online = True
        """Whether its line is up; the world says so."""
        self.last_report: RoundReport | None = None
        """What the newest round of its agent came to."""
        self.told_ms = 0
        """When its newest round that ended well began."""
        self.looked_at = 0
        """The journal entry up to which goods went over the counter."""
        self.drawer_cents = 0
        """Of goods that went over the counter since the last close."""
        self.forgot = 0
        """How many entries a copy that was put back did not hold."""
        self.goes_on_after = 0
        """The newest entry of that copy."""
        self._randomness = randomness
        self._hall = hall
        self.disk = SimulatedDisk()
        self._files = TillFiles(Path("/till"), self.disk)
        self._agent: Agent | None = None
        self._uplink: Uplink | None = None

    # becoming a till ------------------------------------------------------------------------

    def enrol(self, founding: Founding) -> None:
        """Makes keys, has them certified, installs what comes back."""
        files, storage = self._files, self._files.storage
        storage.make_directory(files.directory)
        TillConfig(backend_url=URL, cashier="1").write(files.config, storage)
        keys = TillKeys.generate(self._randomness)
        code = founding.enrolment_code(self.shop, keys.public_key.fingerprint)
        answer = EnrolmentAnswer.decode(self._hall.backend.enrolment.enrol(keys.request(code)))
        self._keys = keys.enrolled(answer.operator_key, answer.sealed_keys)
        storage.write(files.bundle, answer.bundle)
        storage.write(files.certificate, answer.certificate)
        loaded = self._loaded()
        self.terminal = loaded.certificate.terminal
        """The number that the certificate gives it."""
        self.merchant = loaded.certificate.merchant
        self.certificate = answer.certificate
        """As the operator has signed it."""
        self.public_key = keys.public_key.raw
        self.certificate_hash = loaded.author.certificate_hash
        self._agent_till = loaded

    # a day ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Starts the selling process; what an earlier one left open is in the journal."""
        if self.till is not None or self.gone:
            return
        till = self._loaded()
        till.take_journal(till.open_journal())
        self.till, self.counter = till, Counter(till)

    def stop(self) -> None:
        """Ends the selling process in good order."""
        if self.till is not None:
            self.till.close()
        self.till = self.counter = None

    def die(self, power_cut: Random | None = None) -> None:
        """All its programs are gone at once, and the machine is on again; nothing runs.

        ``power_cut``: by which writes that were not synced are kept, lost or torn; None where
        only the processes were killed.
        """
        if power_cut is not None:
            self.disk.power_cut(power_cut)
            self.clock.reboot()
        self.disk.restart()
        self.till = self.counter = None
        self._end_agent()
        self._agent_till = self._loaded()

    def put_back(self, backup: DiskCopy) -> None:
        """Its disk is as it was copied, and the machine started anew; nothing runs.

        The cashier counts the drawer as the older journal has it.
        """
        self.stop()
        before = self.head()
        self.disk.restore(backup)
        self.told_ms = 0
        self.clock.reboot()
        self._end_agent()
        self._agent_till = self._loaded()
        self.looked_at = self.goes_on_after = self.head()
        self.forgot += before - self.looked_at
        with self.journal() as journal:
            self.drawer_cents = _since_close(journal)

    def synchronise(self) -> RoundReport:
        """One round of the agent, and the till takes up what came."""
        if self._agent is None:
            self._agent_till = self._loaded()
            self._agent = Agent(
                self._agent_till, self.uplink, self.clock, self._randomness, beat=self._beat
            )
        begun_ms = self.clock.town_ms
        beaten = self.till is not None and _beat(self.till)
        self.last_report = self._agent.round(beat_due=not beaten)
        if self.till is not None:
            self.till.refresh()
        if not self.last_report.problem:
            self.told_ms = begun_ms
        return self.last_report

    def journal(self) -> JournalReader:
        """The journal to read, whether the till sells or not; close what is returned."""
        return self._agent_till.read_journal()

    def entries(self, after: int) -> list[bytes]:
        """The complete bytes of its durable entries after number ``after``."""
        with self.journal() as journal:
            return [stored.complete for stored in journal.views.entries(after)]

    def head(self) -> int:
        """The number of its newest entry."""
        with self.journal() as journal:
            return int(journal.views.head().seq)

    def acknowledged(self) -> int:
        """The number up to which it believes that the backend holds everything."""
        with self.journal() as journal:
            return journal.acknowledgements.uploaded().seq

    def answers(self) -> list[bytes]:
        """The backend's answers as it keeps them, oldest first."""
        with self.journal() as journal:
            return journal.acknowledgements.kept()

    def check_statement(self, row: Mapping[str, object]) -> tuple[Fault, ...]:
        """What in its merchant's statement is not as this till knows it."""
        with self.journal() as journal:
            return compare_statement(self._agent_till, journal, row).faults

    @property
    def heard_ms(self) -> int:
        """When an answer reached it last, or when it was enrolled."""
        return self.line.heard_ms

    @property
    def uplink(self) -> Uplink:
        """Its way to the backend, for the agent and for card sessions."""
        if self._uplink is None:
            till = self._agent_till
            self._uplink = Uplink(
                URL, till.module, till.operator, self.clock, self._randomness,
                transport=self.line,
            )  # fmt: skip
        return self._uplink

    def close(self) -> None:
        """The end of the town. May be called twice."""
        self.stop()
        self._end_agent()

    # ----------------------------------------------------------------------------------------

    def _end_agent(self) -> None:
        if self._uplink is not None:
            self._uplink.close()
        self._agent = self._uplink = None

    def _beat(self, till: Till) -> bool:
        """A till that runs writes its own heartbeats; else the agent does."""
        if self.till is not None:
            return _beat(self.till)
        return heartbeat.beat_when_free(till)

    def _loaded(self) -> Till:
        return Till.of(self._files, self._keys, self.clock, self._randomness)


def _beat(till: Till) -> bool:
    """As a till does between customers: a full disk is said when the next card comes."""
    with suppress(JournalError):
        return heartbeat.append_heartbeat(till.journal)
    return False


def _since_close(journal: JournalReader) -> int:
    """Cents of goods, by the journal alone, after its newest Z."""
    drawer = 0
    for stored in journal.views.entries(0):
        body = stored.decode().body
        if isinstance(body, BatchClose):
            drawer = 0
        elif isinstance(body, Committed):
            intent = journal.views.entry(body.intent_seq).decode().body
            assert isinstance(intent, Intent)
            sign = -1 if intent.plan.type is SpendType.VOID else 1
            drawer += sign * sum(line.cents for line in intent.lines)
    return drawer
