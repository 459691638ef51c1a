from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cardlib.keys.soft_module import SoftModule
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import Certificate, EnrolmentAnswer
from cardlib.wire.entry_body import Body, Declined
from terminal.agent.loop import Agent, RoundReport
from terminal.agent.uplink import Uplink
from terminal.journal.journal import Author, Journal
from terminal.journal.space import Space
from terminal.till import Till
from terminal.till_files import TillConfig, TillFiles, write_durably
from terminal.till_keys import TillKeys
from tests.integration.backend.builders import ManualClock, SeededRandomness, Town
from tests.integration.sync.service import Service


@dataclass
class Shop:
    """A till of its own directory and clock, enrolled with the service; no screen, no card."""

    service: Service
    directory: Path
    seed: int = 7
    clock: ManualClock = field(default_factory=ManualClock)
    till: Till = field(init=False)

    def __post_init__(self) -> None:
        self.randomness = SeededRandomness(self.seed)
        keys = TillKeys.generate(self.randomness)
        town = self.service.town
        code = town.enrolment.issue_code(town.shop, keys.signing.public.fingerprint)
        answer = EnrolmentAnswer.decode(town.enrolment.enrol(keys.request(code)))
        self.directory.mkdir()
        write_durably(TillFiles(self.directory).certificate, answer.certificate)
        write_durably(TillFiles(self.directory).bundle, answer.bundle)
        self.till = self._till(keys.enrolled(answer.operator_key, answer.sealed_keys), answer)

    def _till(self, keys: TillKeys, answer: EnrolmentAnswer) -> Till:
        module = SoftModule(keys.ring, self.randomness)
        certificate = Certificate.open(answer.certificate, answer.operator_key)
        digest = sha256(answer.certificate).digest()
        till = Till(
            TillFiles(self.directory), TillConfig(self.service.url), keys, certificate,
            answer.operator_key, module, self.clock, self.randomness,
            Author(certificate.terminal, module, self.clock, digest),
        )  # fmt: skip
        till.refresh()
        return till

    @property
    def number(self) -> int:
        return self.till.certificate.terminal

    def journal(self) -> Journal:
        """The writer, as a running till holds it."""
        space = Space(
            self.till.files.ballast, self.randomness, ballast_bytes=4096, headroom_bytes=0
        )
        return Journal.open(
            self.till.files.journal, self.till.keys.journal, self.till.author, space
        )

    def write(self, count: int) -> None:
        """Entries of the simplest kind."""
        with self.journal() as journal:
            bodies: list[Body] = [Declined(code="CARD_MAC_BAD")] * count
            for body in bodies:
                journal.append(body)

    def uplink(self, operator: PublicKey | None = None, timeout_s: float = 5.0) -> Uplink:
        return Uplink(
            self.service.url, self.till.module, operator or self.till.operator, self.clock,
            self.randomness, timeout_s=timeout_s,
        )  # fmt: skip

    def sync(self, *, beat_due: bool = False, operator: PublicKey | None = None) -> RoundReport:
        """One round of a fresh agent."""
        with self.uplink(operator) as uplink:
            agent = Agent(self.till, uplink, self.clock, self.randomness)
            return agent.round(beat_due=beat_due)

    def pending(self) -> int:
        with self.till.read_journal() as reader:
            return reader.acknowledgements.pending_count()

    def accepted(self) -> int:
        """How far the backend holds this journal."""
        with self.service.town.work.begin() as unit:
            return unit.terminals.terminal(self.number).high_seq

    def journal_is_whole(self) -> bool:
        with self.till.read_journal() as reader:
            return reader.check().good


@pytest.fixture
def service(engine: Engine) -> Iterator[Service]:
    service = Service(Town(engine))
    yield service
    service.close()


@pytest.fixture
def shop(service: Service, tmp_path: Path) -> Shop:
    return Shop(service, tmp_path / "till")
