"""A PostgreSQL cluster of the tests' own: a directory, a socket in it, no network.

The server runs as an unprivileged user (it refuses root) and ends with whoever started it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import URL

from cardlib.system import SystemClock
from tests.needs import postgres_program

SUPERUSER = "postgres"
UNPRIVILEGED = "postgres"
"""The system's user that Debian's package makes; taken when the tests run as root."""
START_LIMIT_MS = 30_000
CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
"""For tests in which nobody cuts the power."""
CAREFUL: Mapping[str, str] = {}
"""As in service."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server; ``directory`` holds its data, its socket and its log."""

    directory: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """The address of a database, as the setting BORSELLINO_DATABASE takes it."""
        address = URL.create(
            "postgresql+psycopg", user, password, database=database,
            query={"host": str(self.directory)},
        )  # fmt: skip
        return address.render_as_string(hide_password=False)

    @property
    def environment(self) -> dict[str, str]:
        """For PostgreSQL's own programs."""
        return os.environ | {"PGHOST": str(self.directory), "PGUSER": SUPERUSER}

    def do(self, *statements: str, database: str = "postgres") -> None:
        """Runs statements, each on its own."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def ask(self, question: str, database: str) -> list[tuple[object, ...]]:
        """The rows of a question, past all of our own code."""
        with self.connect(database) as connection:
            return list(connection.execute(question.encode()))

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the superuser that commits each statement."""
        return psycopg.connect(
            host=str(self.directory), user=SUPERUSER, dbname=database, autocommit=True
        )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the server: SIGINT breaks off who is connected, SIGQUIT writes nothing more."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(30)


@contextmanager
def cluster(settings: Mapping[str, str] = CARELESS) -> Generator[Cluster]:
    """A new cluster that is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="borsellino-pg-"))
    try:
        _initialise(directory)
        running = start(directory, settings)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(directory)


def start(directory: Path, settings: Mapping[str, str] = CARELESS) -> Cluster:
    """Starts the server on a cluster that exists; back when it takes connections."""
    ours = {
        "listen_addresses": "",
        "unix_socket_directories": str(directory),
        "shared_buffers": "32MB",
        "max_connections": "80",
    }
    options = [f"--{name}={value}" for name, value in (ours | dict(settings)).items()]
    line = [_program("postgres"), "-D", str(directory / "data"), *options]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            [*_as_nobody("--pdeathsig", "INT"), *line], stdout=log, stderr=log, cwd="/"
        )
    started = Cluster(directory, process)
    _wait(started)
    return started


def _initialise(directory: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam(UNPRIVILEGED)
        os.chown(directory, user.pw_uid, user.pw_gid)
    line = [
        _program("initdb"), "-D", str(directory / "data"), "-U", SUPERUSER, "--auth=trust",
        "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    told = subprocess.run(
        [*_as_nobody(), *line], capture_output=True, check=False, cwd="/", timeout=60
    )
    assert told.returncode == 0, told.stderr.decode()


def _as_nobody(*options: str) -> Sequence[str]:
    """Runs what follows without a parent's rights, and not longer than its parent."""
    if os.geteuid() == 0:
        names = ("--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED, "--clear-groups")
        return ("setpriv", *names, *options)
    return ("setpriv", *options) if options else ()


def _program(name: str) -> str:
    path = postgres_program(name)
    assert path is not None, f"no {name} of PostgreSQL here"
    return str(path)


def _wait(started: Cluster) -> None:
    clock = SystemClock()
    limit = clock.monotonic_ms() + START_LIMIT_MS
    while True:
        try:
            started.connect("postgres").close()
        except psycopg.OperationalError:
            assert started.process.poll() is None, (started.directory / "log").read_text()
            assert clock.monotonic_ms() < limit, (started.directory / "log").read_text()
            clock.sleep(0.02)
        else:
            return
