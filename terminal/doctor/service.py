"""The PC/SC library and its daemon: not there, not speaking, or not permitted.

pcsc-lite's client says only "no service" for four different troubles. So its socket is
asked directly, with the one question that a client begins with: which version of their
protocol the daemon speaks. Source: pcsc-lite ``winscard_msg.h``: header of two
native 32-bit numbers (size, command 11), then major, minor, result. A client that polkit
forbids is hung up on before an answer (``winscard_svc.c``).
"""

import os
import socket
import struct
from collections.abc import Callable
from enum import Enum, auto
from getpass import getuser
from pathlib import Path

from cardlib import pcsc
from cardlib.errors import CardlibError
from terminal.doctor.findings import Finding, found, lacking

SOCKET = "/run/pcscd/pcscd.comm"
_PATIENCE_S = 2.0
_CMD_VERSION, _MAJOR, _MINOR = 0x11, 4, 4
_QUESTION = struct.pack("=IIiiI", 12, _CMD_VERSION, _MAJOR, _MINOR, 0)
_ANSWER = struct.Struct("=iiI")


class Daemon(Enum):
    """What is at the other end of the socket."""

    ABSENT = auto()
    """No socket, or nobody listens at it."""
    FORBIDDEN = auto()
    """The file's mode keeps this user out."""
    TURNED_AWAY = auto()
    """It hangs up at once: polkit says no."""
    SILENT = auto()
    """It takes the question and does not answer."""
    STRANGER = auto()
    """It speaks another version of the protocol."""
    SPEAKS = auto()


def socket_path() -> Path:
    """Where PC/SC clients of this process look for the daemon."""
    return Path(os.environ.get("PCSCLITE_CSOCK_NAME", SOCKET))


def ask(path: Path) -> tuple[Daemon, str]:
    """Who listens at ``path``, and the version ``major.minor`` that it names."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(_PATIENCE_S)
            link.connect(str(path))
            link.sendall(_QUESTION)
            return _judged(link.recv(_ANSWER.size, socket.MSG_WAITALL))
    except PermissionError:
        return Daemon.FORBIDDEN, ""
    except TimeoutError:
        return Daemon.SILENT, ""
    except (BrokenPipeError, ConnectionResetError):
        return Daemon.TURNED_AWAY, ""
    except OSError:
        return Daemon.ABSENT, ""


def _judged(answer: bytes) -> tuple[Daemon, str]:
    if len(answer) < _ANSWER.size:
        return Daemon.TURNED_AWAY, ""
    major, minor, result = _ANSWER.unpack(answer)
    kind = Daemon.STRANGER if result or major != _MAJOR else Daemon.SPEAKS
    return kind, f"{major}.{minor}"


def library() -> Finding:
    """pyscard, which needs a compiler to install, and under it the PC/SC library."""
    try:
        from cardlib.pcsc import winscard  # noqa: F401, PLC0415 - its absence is the finding
    except ImportError:
        return lacking("library", "PCSC_LIBRARY_MISSING")
    return found("library")


def service(path: Path | None = None) -> Finding:
    """The daemon; ``path`` of its socket where it is known."""
    place = path or socket_path()
    if os.name == "nt":
        return _readers_listed("")
    daemon, version = ask(place)
    judge: dict[Daemon, Callable[[], Finding]] = {
        Daemon.ABSENT: lambda: lacking("service", "PCSC_MISSING", place),
        Daemon.FORBIDDEN: lambda: _forbidden(place),
        Daemon.TURNED_AWAY: lambda: not_permitted("service"),
        Daemon.SILENT: lambda: lacking("service", "PCSC_SILENT", place),
        Daemon.STRANGER: lambda: lacking("service", "PCSC_MISMATCH", version, version=version),
        Daemon.SPEAKS: lambda: _readers_listed(version),
    }
    return judge[daemon]()


def not_permitted(check: str) -> Finding:
    """Forbidden by polkit: the rule that allows it."""
    return lacking(check, "PCSC_NOT_PERMITTED", user=_user())


def _forbidden(path: Path) -> Finding:
    try:
        mode, group = f"{path.stat().st_mode & 0o777:o}", path.group()
    except (OSError, KeyError):  # the directory hides even that, or the group has no name
        mode, group = "?", "root"
    facts = {"path": str(path), "group": group, "user": _user()}
    return lacking("service", "PCSC_SOCKET_MODE", f"{path}, {mode}, {group}", **facts)


def _readers_listed(version: str) -> Finding:
    """The library has its own word: a client too old for this daemon hears only "no"."""
    try:
        pcsc.readers()
    except CardlibError as error:
        if error.code == "PCSC_MISSING" and version:
            return lacking("service", "PCSC_MISMATCH", version, version=version)
        if error.code == "PCSC_NOT_PERMITTED":
            return not_permitted("service")
        return lacking("service", error.code)
    return found("service", version)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "USER"
