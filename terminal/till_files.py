"""The files of a till: its settings, where each part lies, and writing that outlives a crash.

========================  =========================================================
``config.toml``           backend address, language, cashier: no secrets, edit at will
``keys.sealed``           secrets, under the passphrase (``till_keys``)
``certificate.cose``      who this terminal is, signed by the operator
``bundle.cose``           parameters, signed by the operator, never an older one
``module-keys.cose``      keys of later key sets, sealed to this till, signed by the operator
``journal.db``            the journal, encrypted; ``.lock`` and ``.ballast`` beside it
========================  =========================================================
"""

import errno
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cardlib.wire.bundle import Bundle
from cardlib.wire.ed25519 import PublicKey
from terminal.errors import JournalError, TillError
from terminal.journal.store import DiskFullError
from terminal.storage import Storage
from terminal.system_storage import SYSTEM
from terminal.till_module import ModuleSlot


@dataclass(frozen=True, slots=True)
class TillConfig:
    """``config.toml``; ``sale_limit_cents`` is the shop's own, 0 for none.

    ``module_reader``, ``module_image``: where a module card is, by reader or as an image.
    """

    backend_url: str
    language: str = ""
    cashier: str = ""
    sale_limit_cents: int = 0
    module_reader: str = ""
    module_image: str = ""

    @property
    def slot(self) -> ModuleSlot:
        """Where the module card is, for a till that has one."""
        return ModuleSlot(self.module_reader, self.module_image)

    def write(self, path: Path, storage: Storage = SYSTEM) -> None:
        """As TOML."""
        rows = (
            f"backend_url = {json.dumps(self.backend_url)}",
            f"language = {json.dumps(self.language)}  # it, en; empty: as the system",
            f"cashier = {json.dumps(self.cashier)}  # a number, never a name",
            f"sale_limit_cents = {self.sale_limit_cents}  # 0: only the operator's limit",
        )
        slot = (
            f"module_reader = {json.dumps(self.module_reader)}  # part of the reader's name",
            f"module_image = {json.dumps(self.module_image)}  # of a virtual module card",
        )
        written = rows + slot if self.module_reader or self.module_image else rows
        storage.write(path, ("\n".join(written) + "\n").encode())

    @classmethod
    def read(cls, path: Path, storage: Storage = SYSTEM) -> Self:
        """TillError ``TILL_CONFIG`` for anything that is not this file."""
        try:
            return cls(**tomllib.loads(storage.read(path).decode()))
        except (tomllib.TOMLDecodeError, TypeError, UnicodeDecodeError) as error:
            raise TillError("TILL_CONFIG", path=str(path), why=str(error)) from error


@dataclass(frozen=True, slots=True)
class TillFiles:
    """Where the parts of a till lie, and what keeps them there."""

    directory: Path
    storage: Storage = field(default=SYSTEM, repr=False, compare=False)

    @property
    def config(self) -> Path:
        """Settings."""
        return self.directory / "config.toml"

    @property
    def keys(self) -> Path:
        """Secrets."""
        return self.directory / "keys.sealed"

    @property
    def certificate(self) -> Path:
        """Present once the till is enrolled."""
        return self.directory / "certificate.cose"

    @property
    def bundle(self) -> Path:
        """The newest bundle."""
        return self.directory / "bundle.cose"

    @property
    def module_keys(self) -> Path:
        """Keys of later key sets; absent until there is one."""
        return self.directory / "module-keys.cose"

    @property
    def journal(self) -> Path:
        """The journal's database."""
        return self.directory / "journal.db"

    @property
    def ballast(self) -> Path:
        """The journal's reserved room."""
        return self.directory / "journal.ballast"

    @property
    def agent_lock(self) -> Path:
        """What the one agent of this till holds."""
        return self.directory / "agent.lock"

    def has(self, path: Path) -> bool:
        """Whether one of these files is there."""
        return self.storage.exists(path)

    def existing(self, path: Path) -> Path:
        """The path itself; TillError ``TILL_MISSING`` when nothing is there."""
        if not self.has(path):
            raise TillError("TILL_MISSING", path=str(path.parent))
        return path

    def keep(self, path: Path, content: bytes) -> None:
        """Replaces one of these files, durably; DiskFullError, JournalError ``JOURNAL_IO``."""
        try:
            self.storage.write(path, content)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError from error
            raise JournalError("JOURNAL_IO", why=str(error)) from error

    def read_bundle(self, operator: PublicKey) -> Bundle | None:
        """The newest bundle, None when there is none; AuthenticityError when not genuine."""
        if not self.has(self.bundle):
            return None
        return Bundle.open(self.storage.read(self.bundle), operator)


def write_durably(path: Path, content: bytes) -> None:
    """Writes a real file so that a crash leaves the old or the new one, whole."""
    SYSTEM.write(path, content)
