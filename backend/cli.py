"""``borsellino backend``: administers one installation from its own machine.

People's log-in comes later; until then whoever can read the directory and its
passphrase is the administrator, and names the person who acts with ``--by``.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import typer
from cryptography import x509

from backend.adapters.unit_of_work import DatabaseWork
from backend.commands import cases, days, installation, losses, merchants, programmes, returns
from backend.commands.key_sets import key_set_app
from backend.commands.options import Openers, settings_in
from backend.commands.recovery import recovery_app
from backend.commands.settlement import settlement_app
from backend.composition import Backend, open_backend, open_database
from backend.services.unit_of_work import Work
from cardlib.system import SystemClock, SystemRandomness

AUTHORITIES = "authorities"
"""Folder of PEM files: the CAs whose CRS cards are trusted at the desk."""

app = typer.Typer(
    help="Administer the settlement service.", no_args_is_help=True, add_completion=False
)


@contextmanager
def _open(directory: Path, *, create: bool = False) -> Generator[Backend]:
    settings = settings_in(directory)
    found = sorted((settings.directory / AUTHORITIES).glob("*.pem"))
    trusted = [x509.load_pem_x509_certificate(path.read_bytes()) for path in found]
    with open_backend(
        settings, SystemClock(), SystemRandomness(), create=create, authorities=trusted
    ) as backend:
        yield backend


@contextmanager
def _create(directory: Path) -> Generator[Backend]:
    with _open(directory, create=True) as backend:
        yield backend


@contextmanager
def _books(directory: Path) -> Generator[Work]:
    with open_database(settings_in(directory)) as engine:
        yield DatabaseWork(engine)


_openers = Openers(_open, _books, _create, SystemClock())
installation.add_commands(app, _openers)
programmes.add_commands(app, _openers)
merchants.add_commands(app, _openers)
days.add_commands(app, _openers)
losses.add_commands(app, _openers)
cases.add_commands(app, _openers)
returns.add_commands(app, _openers)
app.add_typer(settlement_app(_open), name="settlement")
app.add_typer(key_set_app(_open), name="key-set")
app.add_typer(recovery_app(_open), name="recovery")
