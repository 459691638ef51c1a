"""A pcscd of one's own, with virtual readers, beside whatever runs on the machine.

pcscd takes its socket from systemd's protocol for handed-over sockets, so it can have
another one than the machine's; PCSCLITE_CSOCK_NAME leads clients to it. It would still
overwrite the machine's pid file, so it runs in a mount namespace where ``/run/pcscd``
is its own; without root, in a user namespace too. Set ``environment`` before the first
PC/SC call of a process.

One virtual device has two slots, two readers to clients. The daemon can be killed and
started again with devices renamed, added or gone (``install``), as happens in a shop.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from cardlib.ports import Clock
from simulator.errors import ReaderLinkError

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
SLOTS = 2
"""Of one configuration entry of vpcd, always."""
DEVICES_MAX = 2
DEVICE = "Virtual PCD"
_START_S, _STOP_S, _POLL_S = 5.0, 5.0, 0.02
_LOWEST_PORT, _HIGHEST_PORT = 16_384, 32_768
_LAUNCHER = """
import ctypes, os, signal, socket, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: end with who started us
path, daemon, *arguments = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o666)
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)  # dup2 of 3 onto itself would leave it closed on exec
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(daemon, [daemon, *arguments])
"""
_AS_ROOT = 'mkdir -p /run/pcscd && mount -t tmpfs tmpfs /run/pcscd && exec "$@"'
_AS_USER = 'mount -t tmpfs tmpfs /run && mkdir /run/pcscd && exec "$@"'


class PrivatePcscd:
    """Runs while the context is open; its files are in ``directory``, a short path."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._devices: tuple[str, ...] = (DEVICE,)
        self.socket = directory / "pcscd.comm"
        self.port = free_ports(SLOTS * DEVICES_MAX)
        """TCP port of slot 0; slot 1 has the next, and so on over all devices."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What PC/SC clients must have in theirs."""
        return {"PCSCLITE_CSOCK_NAME": str(self.socket)}

    @staticmethod
    def reader_name(slot: int, device: str = DEVICE) -> str:
        """The name under which clients list a slot."""
        return f"{device} 00 0{slot}"

    def install(self, *devices: str) -> None:
        """These devices, under these names, are there from the next :meth:`start` on.

        A running daemon is not told: pcsc-lite built with udev looks for USB devices only.
        """
        assert len(devices) <= DEVICES_MAX, "no more ports reserved"
        self._devices = devices
        self._configuration.mkdir(parents=True, exist_ok=True)
        text = "".join(self._entry(at, name) for at, name in enumerate(devices))
        (self._configuration / "vpcd").write_text(text)

    def start(self) -> None:
        """Returns when all slots listen; ReaderLinkError when they do not in time."""
        self.install(*self._devices)
        configuration = self._configuration
        self.socket.unlink(missing_ok=True)
        with (self._directory / "pcscd.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - fixed programs, paths of our own
                self._command(configuration), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._await_slots()

    def kill(self) -> None:
        """The daemon dies without a word, as from SIGKILL or a fault of its own."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def freeze(self) -> None:
        """The daemon is there and answers nothing, until it is thawed."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends the daemon; clients and cards see it go."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    @property
    def _configuration(self) -> Path:
        return self._directory / "reader.conf.d"

    def _entry(self, at: int, name: str) -> str:
        """A configuration entry; two on one library would share its state, so each has its own."""
        port, driver = self.port + at * SLOTS, DRIVER
        if at > 0:
            driver = self._directory / f"libifdvpcd-{at}.so"
            shutil.copyfile(DRIVER, driver)
        return (
            f'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:0x{port:X}\n'
            f"LIBPATH {driver}\nCHANNELID 0x{port:X}\n"
        )

    def _command(self, configuration: Path) -> list[str]:
        root = os.geteuid() == 0
        unshare = ["unshare", *([] if root else ["-Ur"]), "-m", "--propagation", "private"]
        return [
            *unshare,
            *["sh", "-c", _AS_ROOT if root else _AS_USER, "sh"],
            *[sys.executable, "-I", "-c", _LAUNCHER, str(self.socket)],
            *["/usr/sbin/pcscd", "--foreground", "-c", str(configuration)],
        ]

    def _await_slots(self) -> None:
        waited = 0.0
        slots = range(SLOTS * len(self._devices))
        while not (self.socket.exists() and all(_listens(self.port + slot) for slot in slots)):
            assert self._process is not None
            if waited >= _START_S or self._process.poll() is not None:
                self.stop()
                raise ReaderLinkError("PCSCD_NOT_STARTED", log=str(self._directory / "pcscd.log"))
            self._clock.sleep(_POLL_S)
            waited += _POLL_S


def free_ports(count: int) -> int:
    """The first of ``count`` TCP ports in a row that nobody listens on just now.

    Below the ports that systems give to outgoing connections (RFC 6335, 6: from 49152; Linux:
    from 32768): while the daemon is down, none of those takes its place.
    """
    span = _HIGHEST_PORT - _LOWEST_PORT - count
    own = os.getpid() * count  # processes that look at the same moment begin at other places
    firsts = (_LOWEST_PORT + (own + step) % span for step in range(0, span, count))
    return next(first for first in firsts if all(_can_bind(first + more) for more in range(count)))


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _listens(port: int) -> bool:
    # Connecting would put a card into the slot; the kernel's table can be asked instead.
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(wanted) and fields[3] == "0A":
                return True
    return False
