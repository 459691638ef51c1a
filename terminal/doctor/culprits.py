"""Who else has the PC/SC library loaded: one of them holds the reader."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_LIBRARY = b"libpcsclite.so"
_COMMON = {
    "scdaemon": "gpgconf --kill scdaemon",
    "gpg-agent": "gpgconf --kill scdaemon",
    "gsd-smartcard": "systemctl --user stop org.gnome.SettingsDaemon.Smartcard.service",
    "gnome-keyring-d": "systemctl --user stop gnome-keyring-daemon.service",
    "yubikey-agent": "systemctl --user stop yubikey-agent.service",
}
"""Programs that take readers without being asked, and what makes each let go."""
_OURS = "borsellino"
"""A till perhaps, in the middle of a sale: shown, never killed."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A process that may hold the reader."""

    pid: int
    name: str

    @property
    def command(self) -> str:
        """What makes it let go; of our own programs, which one it is."""
        if self.name == _OURS:
            return f"ps -fp {self.pid}"
        return _COMMON.get(self.name, f"kill {self.pid}")

    def __str__(self) -> str:
        return f"{self.name} {self.pid}"


def culprits(proc: Path = PROC, own: int | None = None) -> list[Culprit]:
    """Other processes with the library in them; of other users only those known by name.

    Empty where there is no ``/proc``. The daemon itself does not load the library.
    """
    me = os.getpid() if own is None else own
    found = [item for item in _processes(proc) if item.pid != me]
    return sorted(
        (item for item in found if item.name in _COMMON or _has_library(proc, item.pid)),
        key=lambda item: (item.name not in _COMMON, item.pid),
    )


def _processes(proc: Path) -> Iterator[Culprit]:
    for entry in proc.iterdir() if proc.is_dir() else ():
        if entry.name.isdigit():
            try:
                yield Culprit(int(entry.name), (entry / "comm").read_text("utf-8").strip())
            except OSError:
                continue  # it has ended meanwhile


def _has_library(proc: Path, pid: int) -> bool:
    try:
        return _LIBRARY in (proc / str(pid) / "maps").read_bytes()
    except OSError:
        return False
