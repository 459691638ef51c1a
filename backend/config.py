"""Settings of an installation: one directory, read once, passed in.

``backend.sqlite`` (unless another database is named), ``keys.box`` (the key store) and
``letters/`` lie in the directory. Another database is named by the variable
``BORSELLINO_DATABASE`` (docs/postgresql.md). The key store's passphrase comes from the variable
``BORSELLINO_PASSPHRASE``, or from the file named by ``BORSELLINO_PASSPHRASE_FILE``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.errors import BadInputError

DATABASE = "BORSELLINO_DATABASE"
DATABASES = ("sqlite:", "postgresql+psycopg:")
"""How an address may begin: what this service is tested with."""
PASSPHRASE = "BORSELLINO_PASSPHRASE"  # noqa: S105 - the variable's name
PASSPHRASE_FILE = "BORSELLINO_PASSPHRASE_FILE"  # noqa: S105 - the variable's name


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Where everything is. ``database`` is a SQLAlchemy URL; None: the directory's SQLite."""

    directory: Path
    passphrase: str | None = None
    database: str | None = None

    @property
    def database_url(self) -> str:
        """The database's address; BadInputError ``DATABASE_URL_BAD`` when it cannot be one."""
        url = self.database or f"sqlite:///{self.directory / 'backend.sqlite'}"
        if not url.startswith(DATABASES):
            raise BadInputError("DATABASE_URL_BAD", variable=DATABASE)
        return url

    @property
    def key_file(self) -> Path:
        """The sealed key store."""
        return self.directory / "keys.box"

    @property
    def letters(self) -> Path:
        """Where PIN letters wait to be printed."""
        return self.directory / "letters"

    def require_passphrase(self) -> str:
        """The key store's passphrase; BadInputError ``PASSPHRASE_MISSING``."""
        if not self.passphrase:
            raise BadInputError("PASSPHRASE_MISSING", variable=PASSPHRASE)
        return self.passphrase


def read_settings(directory: Path, environment: Mapping[str, str]) -> Settings:
    """The settings of ``directory`` as the environment completes them."""
    passphrase = environment.get(PASSPHRASE)
    named = environment.get(PASSPHRASE_FILE)
    if passphrase is None and named:
        passphrase = Path(named).read_text("utf-8").rstrip("\n")
    return Settings(directory, passphrase, environment.get(DATABASE))
