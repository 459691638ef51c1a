"""Puts the service together: settings and ports in, use cases out. No logic here."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from sqlalchemy import Engine

from backend.adapters.engine import open_engine
from backend.adapters.key_store import FileKeyStore, KeyStore
from backend.adapters.migrate import migrate, require_current
from backend.adapters.pin_letters import FilePinLetters
from backend.adapters.unit_of_work import DatabaseWork
from backend.config import Settings
from backend.errors import ConflictError
from backend.services.administration.day_end import DayEnd
from backend.services.administration.load_orders import LoadOrderOffice
from backend.services.administration.merchants import MerchantOffice
from backend.services.administration.programmes import ProgrammeOffice
from backend.services.administration.unspent import UnspentOffice
from backend.services.card_sessions.live import LiveDialogues
from backend.services.card_sessions.personalise import PinLetters
from backend.services.card_sessions.sessions import CardSessions
from backend.services.cases.office import CaseOffice
from backend.services.exchange.exchange import Exchange
from backend.services.ingest.batches import Ingest
from backend.services.keys.key_sets import KeySetOffice
from backend.services.recovery.office import RecoveryOffice
from backend.services.refunds.refund_orders import RefundDesk
from backend.services.refunds.returns import ReturnDesk
from backend.services.settlement.batches import SettlementService
from backend.services.settlement.reviews import ReviewOffice
from backend.services.terminals.bundles import LastLook
from backend.services.terminals.enrolment import Enrolment
from backend.services.terminals.lost_terminals import LossOffice
from backend.services.terminals.module_orders import ModuleOffice
from backend.services.unit_of_work import Work
from backend.services.wallets.lost_cards import CardOffice
from cardlib.ports import Clock, Randomness


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Ports and the use cases on them; ``dialogues`` of card sessions that are in hand, and the
    ``last_look`` at what tills are to be told."""

    work: Work
    keys: KeyStore
    clock: Clock
    randomness: Randomness
    letters: PinLetters
    authorities: Sequence[x509.Certificate] = ()
    dialogues: LiveDialogues = field(default_factory=LiveDialogues)
    last_look: LastLook = field(default_factory=LastLook)

    @property
    def programmes(self) -> ProgrammeOffice:
        """Setting up, funding, awards."""
        return ProgrammeOffice(self.work, self.keys, self.clock)

    @property
    def unspent(self) -> UnspentOffice:
        """What was not taken."""
        return UnspentOffice(self.work, self.clock)

    @property
    def loads(self) -> LoadOrderOffice:
        """Stock and load orders."""
        return LoadOrderOffice(self.work, self.keys, self.clock)

    @property
    def merchants(self) -> MerchantOffice:
        """Merchants and statements."""
        return MerchantOffice(self.work, self.clock)

    @property
    def enrolment(self) -> Enrolment:
        """Terminals."""
        return Enrolment(self.work, self.keys, self.clock, self.randomness)

    @property
    def modules(self) -> ModuleOffice:
        """Module cards and what they may debit."""
        return ModuleOffice(self.work, self.keys, self.clock)

    @property
    def key_sets(self) -> KeySetOffice:
        """Key sets of the issuers, and the tills that hold them."""
        return KeySetOffice(self.work, self.keys, self.clock)

    @property
    def ingest(self) -> Ingest:
        """Journal entries."""
        return Ingest(self.work, self.keys, self.clock, self.randomness, self.last_look)

    @property
    def card_sessions(self) -> CardSessions:
        """Personalisation and loads."""
        return CardSessions(
            self.work, self.keys, self.clock, self.randomness, self.letters, self.authorities,
            self.dialogues,
        )  # fmt: skip

    @property
    def losses(self) -> LossOffice:
        """Terminals that are lost."""
        return LossOffice(self.work, self.clock)

    @property
    def cards(self) -> CardOffice:
        """Cards that are lost, found, replaced."""
        return CardOffice(self.work, self.clock)

    @property
    def cases(self) -> CaseOffice:
        """What waits for a person."""
        return CaseOffice(self.work, self.clock)

    @property
    def refunds(self) -> RefundDesk:
        """What purses are owed."""
        return RefundDesk(self.work, self.clock)

    @property
    def returns(self) -> ReturnDesk:
        """Goods that came back."""
        return ReturnDesk(self.work, self.clock)

    @property
    def day_end(self) -> DayEnd:
        """Expiry, and what falls due."""
        return DayEnd(self.work, self.clock)

    @property
    def settlement(self) -> SettlementService:
        """Batches and payments."""
        return SettlementService(self.work, self.clock)

    @property
    def reviews(self) -> ReviewOffice:
        """What is looked at before a batch is approved."""
        return ReviewOffice(self.work, self.clock, self.randomness)

    @property
    def recovery(self) -> RecoveryOffice:
        """After an older copy of the database was put back."""
        return RecoveryOffice(self.work, self.keys, self.clock)

    @property
    def exchange(self) -> Exchange:
        """What terminals and stations ask, however it comes here."""
        return Exchange(self)


@contextmanager
def open_database(settings: Settings, *, create: bool = False) -> Generator[Engine]:
    """The database at its newest schema, closed at the end.

    ``create`` migrates it, or is ConflictError ``FILE_UNWRITABLE``; without, ConflictError
    ``SCHEMA_OLD`` when that is needed, ``INSTALLATION_MISSING`` when there is no file.
    """
    engine = open_engine(settings.database_url)
    try:
        if create:
            _make_directory(settings.directory)
            migrate(engine)
        else:
            _require_there(engine, settings.directory)
            require_current(engine)
        yield engine
    finally:
        engine.dispose()


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = str(error.strerror)
        raise ConflictError("FILE_UNWRITABLE", path=str(directory), why=why) from error


def _require_there(engine: Engine, directory: Path) -> None:
    """A SQLite file that is not there is not made by looking into it."""
    file = engine.url.database
    in_memory = not file or file.startswith((":", "file:"))
    if engine.dialect.name == "sqlite" and not in_memory and not Path(str(file)).is_file():
        raise ConflictError("INSTALLATION_MISSING", path=str(directory))


@contextmanager
def open_backend(
    settings: Settings, clock: Clock, randomness: Randomness, *, create: bool = False,
    authorities: Sequence[x509.Certificate] = (),
) -> Generator[Backend]:  # fmt: skip
    """The whole service on the settings' database and key store."""
    with open_database(settings, create=create) as engine:
        yield Backend(
            work=DatabaseWork(engine),
            keys=FileKeyStore(settings.key_file, settings.require_passphrase(), randomness),
            clock=clock,
            randomness=randomness,
            letters=FilePinLetters(settings.letters),
            authorities=authorities,
        )
