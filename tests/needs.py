"""What the real-stack tests need of the machine: the one list, for ``./run`` and for pytest.

Run as a script it prints what is missing of the groups named, one part a line: Debian
package, tab, what it is. Standard library only, since it runs before anything is installed.
"""

import ctypes
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Need:
    """One part: which tests want it, where Debian has it, whether it is here."""

    group: str
    package: str
    what: str
    is_here: Callable[[], bool]


def _program(*names: str) -> Callable[[], bool]:
    # Daemons live in /usr/sbin, which is not on every user's PATH.
    return lambda: any(shutil.which(name) or Path("/usr/sbin", name).exists() for name in names)


def _file(path: str | Path) -> Callable[[], bool]:
    return Path(path).exists


def _library(name: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return loads


def postgres_program(name: str) -> Path | None:
    """A program of the newest PostgreSQL here: Debian keeps them off every PATH."""
    found = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest = max(found, key=lambda path: float(path.parts[4]), default=None)
    elsewhere = shutil.which(name)
    return newest or (Path(elsewhere) if elsewhere else None)


GROUPS = ("pcsc", "postgres")

NEEDS = (
    Need("pcsc", "pcscd", "the PC/SC daemon", _program("pcscd")),
    Need(
        "pcsc",
        "vsmartcard-vpcd",
        "its virtual reader",
        _file("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"),
    ),
    Need("pcsc", "opensc", "OpenSC, which judges the virtual card", _program("pkcs15-tool")),
    Need(
        "pcsc",
        "openssl",
        "OpenSSL's command, which checks the card's signatures",
        _program("openssl"),
    ),
    Need("pcsc", "util-linux", "unshare, for a pcscd of the tests' own", _program("unshare")),
    Need("pcsc", "libpcsclite1", "the PC/SC library", _library("libpcsclite.so.1")),
    Need("pcsc", "libpcsclite-dev", "its headers", _file("/usr/include/PCSC/winscard.h")),
    Need("pcsc", "gcc", "a C compiler, for pyscard", _program("gcc", "cc")),
    Need("pcsc", "libc6-dev", "the C library's headers", _file("/usr/include/stdio.h")),
    Need(
        "pcsc",
        "python3-dev",
        "Python's headers",
        _file(Path(sysconfig.get_path("include"), "Python.h")),
    ),
    Need(
        "postgres", "postgresql", "the PostgreSQL server", lambda: bool(postgres_program("initdb"))
    ),
    Need("postgres", "util-linux", "setpriv, since the server refuses root", _program("setpriv")),
)


def missing(groups: Iterable[str]) -> list[Need]:
    """The parts of ``groups`` that this machine lacks."""
    wanted = set(groups)
    return [need for need in NEEDS if need.group in wanted and not need.is_here()]


if __name__ == "__main__":
    for lacking in missing(sys.argv[1:]):
        print(lacking.package, lacking.what, sep="\t")
