"""A till in its directory, opened: keys, certificate, bundle, journal (files: ``till_files``).

::

    keys = prepare(directory, passphrase, config, randomness)     # 1. keys and config.toml
    request = keys.request(code)                                  # 2. the agent enrols them
    enrol(directory, passphrase, answer, randomness)              # 3. operator's answer installed
    with Till.open(directory, passphrase, clock, randomness) as till:
        till.journal ...                                          # 4. from now on

``prepare`` and ``enrol`` are in ``till_enrolment``.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from cardlib.drivers.card_module import CardModule
from cardlib.errors import AuthenticityError, CardlibError
from cardlib.keys.module import SecurityModule
from cardlib.keys.soft_module import SoftModule
from cardlib.ports import Clock, Randomness
from cardlib.wire.bundle import Bundle
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.enrolment import Certificate
from cardlib.wire.entry_header import ModuleClass
from cardlib.wire.ids import TRAINING_ISSUER
from cardlib.wire.module_keys import HeldSet, KeyAnswer, KeyRequest
from terminal.errors import TillError
from terminal.journal.journal import Author, Circumstances, Journal, JournalReader
from terminal.journal.space import Space
from terminal.recovery.told import Told, write_told
from terminal.storage import Storage
from terminal.system_storage import SYSTEM
from terminal.till_files import TillConfig, TillFiles
from terminal.till_keys import TillKeys
from terminal.till_module import ModuleSlot, module_of
from terminal.trust import BundleTrust


@dataclass(slots=True)
class Till:
    """An enrolled till, opened. ``journal`` is the writer of its journal."""

    files: TillFiles
    config: TillConfig
    keys: TillKeys
    certificate: Certificate
    operator: PublicKey
    module: SecurityModule
    clock: Clock
    randomness: Randomness
    author: Author
    trust: BundleTrust = field(default_factory=BundleTrust)
    told: list[Told] = field(default_factory=list)
    """Outcomes that the backend told since somebody last looked: show them, and empty it."""
    _journal: Journal | None = None
    _keys_taken: bytes = b""

    @classmethod
    def load(
        cls, directory: Path, passphrase: str, clock: Clock, randomness: Randomness,
        slot: ModuleSlot | None = None, storage: Storage = SYSTEM,
    ) -> Self:  # fmt: skip
        """Opens everything but the journal: what the sync agent's process does.

        ``slot``: where a module card is, if not where ``config.toml`` says; it is not
        looked for before it is needed. TillError ``TILL_MISSING`` or
        ``TILL_NOT_ENROLLED``; AuthenticityError when a file is not the operator's.
        """
        files = TillFiles(directory, storage)
        files.existing(files.config)
        keys = TillKeys.read(files.existing(files.keys), passphrase, storage)
        return cls.of(files, keys, clock, randomness, slot)

    @classmethod
    def of(
        cls, files: TillFiles, keys: TillKeys, clock: Clock, randomness: Randomness,
        slot: ModuleSlot | None = None,
    ) -> Self:  # fmt: skip
        """As :meth:`load`, for one who has unsealed the keys before."""
        storage, config = files.storage, TillConfig.read(files.config, files.storage)
        if keys.operator is None or not files.has(files.certificate):
            raise TillError("TILL_NOT_ENROLLED", path=str(files.directory))
        complete = storage.read(files.certificate)
        certificate = Certificate.open(complete, keys.operator)
        module = module_of(keys, slot or config.slot, randomness)
        author = Author(certificate.terminal, module, clock, sha256(complete).digest())
        till = cls(
            files, config, keys, certificate, keys.operator, module, clock, randomness, author
        )
        till.refresh()
        return till

    @classmethod
    def open(
        cls, directory: Path, passphrase: str, clock: Clock, randomness: Randomness,
        slot: ModuleSlot | None = None, storage: Storage = SYSTEM,
    ) -> Self:  # fmt: skip
        """Opens the till to sell; JournalError ``JOURNAL_IN_USE`` while another one does."""
        till = cls.load(directory, passphrase, clock, randomness, slot, storage)
        till.take_journal(till.open_journal())
        return till

    def open_journal(self) -> Journal:
        """The writer; JournalError ``JOURNAL_IN_USE`` while another till or an agent writes."""
        files = self.files
        space = Space(files.ballast, self.randomness, storage=files.storage)
        return Journal.open(files.journal, self.keys.journal, self.author, space, files.storage)

    def take_journal(self, journal: Journal) -> None:
        """Makes ``journal`` the one that this till writes."""
        self._journal = journal
        self.refresh()

    @property
    def journal(self) -> Journal:
        """The writer; only of a till that was opened with :meth:`open`."""
        assert self._journal is not None, "this till was loaded, not opened"
        return self._journal

    def read_journal(self) -> JournalReader:
        """The journal beside a till that may be selling: to read, and for acknowledgements."""
        files = self.files
        return JournalReader.open_shared(
            files.journal, self.keys.journal, self.author, files.storage
        )

    def refresh(self) -> bool:
        """Takes up the newest bundle and module keys; whether there was a newer bundle."""
        known = self.trust.bundle.version if self.trust.bundle else 0
        bundle = self.files.read_bundle(self.operator)
        newer = bundle is not None and bundle.version > known
        if newer:
            card = self.module.module_class is ModuleClass.CARD
            self.trust = BundleTrust.of(bundle, card=card)
        if self.files.has(self.files.module_keys):
            self._take_keys(self.files.storage.read(self.files.module_keys))
        if self._journal is not None:
            self._journal.circumstances = self.circumstances()
            self._take_outcomes(self._journal)
        return newer

    def _take_outcomes(self, journal: Journal) -> None:
        """Writes what the backend decided of this till's unresolved intents."""
        with suppress(CardlibError):  # a full disk, a module that is out: it is said again
            for decided in self.trust.decided(self.certificate.terminal):
                told = write_told(journal, self.module, decided)
                if told is not None:
                    self.told.append(told)

    def circumstances(self) -> Circumstances:
        """What entries say about this till now."""
        bundle = self.trust.bundle
        return Circumstances(
            software=software(),
            parameters=bundle.parameters if bundle else 0,
            hotlist=bundle.hotlist_version if bundle else 0,
            watermark=bundle.watermark_version if bundle else 0,
            cashier=self.config.cashier,
        )

    def install_bundle(self, complete: bytes, reader: JournalReader) -> Bundle:
        """Verifies a bundle and makes it the till's; the agent calls this.

        AuthenticityError when it is not the operator's; TillError ``BUNDLE_OLDER`` for
        one below the newest ever installed; DiskFullError, and the old one stays.
        """
        bundle = Bundle.open(complete, self.operator)
        installed = reader.acknowledgements.bundle_version()
        if bundle.version < max(installed, self.trust.bundle.version if self.trust.bundle else 0):
            raise TillError("BUNDLE_OLDER", version=bundle.version)
        self.files.keep(self.files.bundle, complete)
        reader.acknowledgements.record_bundle(bundle.version, sha256(complete).digest())
        self.refresh()
        return bundle

    def install_keys(self, complete: bytes) -> None:
        """Verifies keys of later key sets and makes them the till's; the agent calls this.

        AuthenticityError when they are not the operator's, or for another till.
        """
        if isinstance(self.module, CardModule):
            self.module.take_keys(complete)
        self._take_keys(complete)
        self.files.keep(self.files.module_keys, complete)

    def key_sets_wanted(self) -> frozenset[HeldSet]:
        """Key sets that the bundle wants this till to hold."""
        bundle, training = self.trust.bundle, self.certificate.training
        named = () if bundle is None else bundle.key_sets
        return frozenset(
            (item.issuer, item.number)
            for item in named
            if (item.issuer == TRAINING_ISSUER) == training
        )

    def key_request(self) -> KeyRequest:
        """Asks for keys, and says which are here."""
        module = self.module
        if isinstance(module, CardModule):
            return KeyRequest(module.describe().box_key, module.key_sets)
        held = module.key_sets if isinstance(module, SoftModule) else ()
        return KeyRequest(self.keys.box_key, held)

    def _take_keys(self, complete: bytes) -> None:
        """Into a software module, at every start; a module card has kept them."""
        if complete == self._keys_taken or not isinstance(self.module, SoftModule):
            return
        answer = KeyAnswer.open(complete, self.operator)
        if answer.terminal != self.certificate.terminal:
            raise AuthenticityError("ENROLMENT_SEAL")
        self.module.take_masters(self.keys.unsealed(answer.sealed).masters)
        self._keys_taken = complete

    def close(self) -> None:
        """Closes the journal. May be called twice."""
        self.module.rest()
        if self._journal is not None:
            self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def software() -> str:
    """The version of this program; ``unknown`` where it runs without being installed."""
    try:
        return version("borsellino")
    except PackageNotFoundError:
        return "unknown"
