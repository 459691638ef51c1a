"""The doctor names what is missing and the command that mends it.

Stand-ins: a socket that hangs up for polkit, one that never answers for a hung daemon,
one of another version; a folder of files for the processes of a machine.
"""

import json
import os
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from cardlib import pcsc
from cardlib.connection import CardConnection
from cardlib.errors import CardMissingError, CardSilentError, PresenceError, ServiceMissingError
from simulator.card import image
from simulator.card.card import VirtualCard
from simulator.card.masks import CRS_STINCARD, TRAINING_TRANSPORT_KEYS, WHITE, make_card
from simulator.card.personal import Holder
from simulator.card.randomness import SeededRandomness
from simulator.connection import InProcessConnection
from simulator.pin_pad import KeypadReader
from terminal.doctor import doctor, service
from terminal.doctor import reader as readers
from terminal.doctor.culprits import Culprit, culprits
from terminal.doctor.findings import Finding, describe
from terminal.doctor.till import OLDEST, till
from tests.unit.simulator.host import purse_memory

MAJOR, MINOR, STOPPED = 4, 5, 0x8010001E
Peer = Callable[[socket.socket], None]


class Clock:
    """Stands still."""

    boot_id = bytes(8)

    def __init__(self, unix_s: int = OLDEST + 86_400) -> None:
        self._unix_s = unix_s

    def unix_ms(self) -> int:
        return self._unix_s * 1000

    def monotonic_ms(self) -> int:
        return 0

    def sleep(self, seconds: float) -> None:
        """Nothing waits here."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a socket's may have no more than 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="doctor") as directory:
        yield Path(directory)


@contextmanager
def daemon(path: Path, peer: Peer) -> Iterator[Path]:
    """Listens at ``path`` and treats the one client as ``peer`` does."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            link, _ = listener.accept()
            with link:
                peer(link)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield path
        thread.join(5)


def hangs_up(_link: socket.socket) -> None:
    """What pcscd does to a client that polkit forbids."""


def hears_and_hangs_up(link: socket.socket) -> None:
    """The same, when it had read the question already."""
    link.recv(20, socket.MSG_WAITALL)


def answers(major: int, minor: int, result: int = 0) -> Peer:
    def peer(link: socket.socket) -> None:
        header = link.recv(20, socket.MSG_WAITALL)
        assert struct.unpack("=II", header[:8]) == (12, 0x11)
        link.sendall(struct.pack("=iiI", major, minor, result))

    return peer


def said(finding: Finding, lang: str = "en") -> str:
    return describe(finding, lang)


# the service -----------------------------------------------------------------------------


def test_no_daemon_at_all(folder: Path) -> None:
    finding = service.service(folder / "pcscd.comm")
    assert finding.code == "PCSC_MISSING"
    assert "systemctl start pcscd" in said(finding)


def test_a_socket_that_a_dead_daemon_left_behind(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(folder / "pcscd.comm"))
    assert service.service(folder / "pcscd.comm").code == "PCSC_MISSING"


@pytest.mark.parametrize(("lang", "peer"), [("it", hangs_up), ("en", hears_and_hangs_up)])
def test_polkit_says_no_and_the_rule_that_allows_it_is_printed(
    folder: Path, lang: str, peer: Peer
) -> None:
    with daemon(folder / "s", peer) as path:
        finding = service.service(path)
    assert finding.code == "PCSC_NOT_PERMITTED"
    told = said(finding, lang)
    assert "/etc/polkit-1/rules.d/40-borsellino.rules" in told
    assert 'action.id.indexOf("org.debian.pcsc-lite.") === 0' in told
    assert "addRule(function(action, subject) {\n" in told, "braces once"
    assert f'subject.user === "{finding.facts["user"]}"' in told


def test_a_file_mode_that_keeps_us_out_names_file_and_group(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "pcscd.comm"
    path.touch()
    path.chmod(0o660)

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "connect", refused)  # root may connect to anything
    finding = service.service(path)
    assert finding.code == "PCSC_SOCKET_MODE"
    assert f"usermod -aG {path.group()} {finding.facts['user']}" in said(finding)
    assert f"{path}, 660, {path.group()}" in said(finding)


def test_a_daemon_that_hangs_is_told_from_one_that_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_PATIENCE_S", 0.05)
    over = threading.Event()

    def waits(_link: socket.socket) -> None:
        over.wait(5)

    with daemon(folder / "s", waits) as path:
        finding = service.service(path)
        over.set()
    assert finding.code == "PCSC_SILENT"


@pytest.mark.parametrize("peer", [answers(3, 0), answers(MAJOR, MINOR, STOPPED)])
def test_another_protocol_version_is_named(folder: Path, peer: Peer) -> None:
    with daemon(folder / "s", peer) as path:
        finding = service.service(path)
    assert finding.code == "PCSC_MISMATCH"
    assert finding.detail in ("3.0", "4.5")


def test_a_daemon_that_speaks_while_the_library_hears_nothing_is_a_mismatch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf() -> list[str]:
        raise ServiceMissingError

    monkeypatch.setattr(pcsc, "readers", deaf)
    with daemon(folder / "s", answers(MAJOR, MINOR)) as path:
        assert service.service(path).code == "PCSC_MISMATCH"


def test_a_daemon_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "readers", lambda: ["One", "Two"])
    with daemon(folder / "s", answers(MAJOR, MINOR)) as path:
        finding = service.service(path)
    assert (finding.ok, finding.detail) == (True, f"{MAJOR}.{MINOR}")


# reader and card -------------------------------------------------------------------------


def test_no_reader_or_none_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcsc, "readers", lambda: ["Gemalto PC Twin Reader 00 00"])
    assert readers.reader("twin").ok
    assert readers.reader("other").code == "READER_MISSING"


def card_finding(
    monkeypatch: pytest.MonkeyPatch, result: CardConnection | PresenceError
) -> list[Finding]:
    """What the doctor says when opening a card does ``result``."""

    def opened(**_: object) -> CardConnection:
        if isinstance(result, PresenceError):
            raise result
        return result

    monkeypatch.setattr(readers, "open_connection", opened)
    return list(readers.card(None, None))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CardMissingError(), "CARD_MISSING"),
        (CardSilentError("CARD_MUTE"), "CARD_MUTE"),
        (CardSilentError("CARD_UNPOWERED"), "CARD_UNPOWERED"),
        (CardSilentError("CARD_PROTOCOL"), "CARD_PROTOCOL"),
        (PresenceError("READER_SILENT"), "READER_SILENT"),
        (ServiceMissingError("PCSC_NOT_PERMITTED"), "PCSC_NOT_PERMITTED"),
    ],
)
def test_what_keeps_us_from_the_card_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, error: PresenceError, code: str
) -> None:
    (finding,) = card_finding(monkeypatch, error)
    assert (finding.ok, finding.code) == (False, code)
    assert code not in said(finding), "a sentence, not a code"


def test_a_reader_held_by_another_program_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "culprits", lambda: [Culprit(812, "scdaemon")])
    (finding,) = card_finding(monkeypatch, PresenceError("READER_BUSY"))
    assert "scdaemon 812" in said(finding)
    assert "$ gpgconf --kill scdaemon" in said(finding)


def checks(findings: list[Finding]) -> dict[str, tuple[bool, str]]:
    return {item.check: (item.ok, item.code or item.detail) for item in findings}


def test_a_purse_on_a_white_card_in_a_reader_with_a_keypad(monkeypatch: pytest.MonkeyPatch) -> None:
    card = VirtualCard(purse_memory(), SeededRandomness("doctor"))
    told = checks(card_finding(monkeypatch, KeypadReader(InProcessConnection(card))))
    assert told["atr"][1].startswith(f"{card.atr.hex().upper()}, T=1")
    assert told["kind"] == (True, "white")
    assert told["purses"][1].startswith("B001 ")
    assert told["pin_pad"] == (True, "yes")
    assert told["extended"] == (True, "no"), "the reader takes 261 bytes"


def test_a_crs_without_a_purse_is_a_crs(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = make_card(CRS_STINCARD, SeededRandomness("crs"), Holder(), TRAINING_TRANSPORT_KEYS)
    card = VirtualCard(memory, SeededRandomness("crs"))
    told = checks(card_finding(monkeypatch, InProcessConnection(card)))
    assert "CNS 1.0, STIncard" in told["atr"][1]
    assert told["kind"] == (True, "crs")
    assert told["purses"] == (False, "PURSE_MISSING")
    assert told["pin_pad"] == (True, "no")


def test_a_card_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stranger(InProcessConnection):
        atr = bytes.fromhex("3B0000")  # an ATR that is none

        def transmit(self, apdu: bytes) -> bytes:  # noqa: ARG002
            return b"\x6a\x82"

    card = VirtualCard(purse_memory(), SeededRandomness("stranger"))
    told = checks(card_finding(monkeypatch, Stranger(card)))
    assert told["atr"] == (False, "ATR_MALFORMED")
    assert told["purses"] == (False, "CARD_NOT_CRS")


# other programs --------------------------------------------------------------------------


def process(proc: Path, pid: int, name: str, maps: str | None = "") -> None:
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "comm").write_text(name + "\n")
    if maps is not None:
        (proc / str(pid) / "maps").write_text(maps)


def test_other_programs_with_the_library_are_named_the_usual_ones_first(tmp_path: Path) -> None:
    library = "7f00-7f01 r-xp /usr/lib/x86_64-linux-gnu/libpcsclite.so.1.0.0\n"
    process(tmp_path, 10, "bash", "7f00-7f01 r-xp /usr/bin/bash\n")
    process(tmp_path, 20, "firefox", library)
    process(tmp_path, 30, "gsd-smartcard", None)  # another user's: its memory is closed to us
    process(tmp_path, 40, "python3", library)
    process(tmp_path, 50, "borsellino", library)
    (tmp_path / "meminfo").touch()
    found = culprits(tmp_path, own=40)
    assert [str(item) for item in found] == ["gsd-smartcard 30", "firefox 20", "borsellino 50"]
    assert found[0].command.startswith("systemctl --user stop")
    assert found[1].command == "kill 20"
    assert found[2].command == "ps -fp 50", "a till may be in the middle of a sale"


def test_a_machine_without_proc_has_no_names(tmp_path: Path) -> None:
    assert culprits(tmp_path / "none") == []


# the till --------------------------------------------------------------------------------


class Disk:
    def __init__(self, free: int) -> None:
        self._free = free

    def free_bytes(self, directory: Path) -> int:  # noqa: ARG002
        return self._free


def made_till(directory: Path) -> Path:
    for name in ("config.toml", "keys.sealed", "certificate.cose", "journal.db"):
        path = directory / name
        path.write_bytes(b"x")
        os.utime(path, (OLDEST, OLDEST))
    os.utime(directory, (OLDEST, OLDEST))
    return directory


def codes_of(directory: Path, clock: Clock, free: int = 10**9) -> dict[str, str]:
    return {item.check: item.code for item in till(directory, clock, Disk(free))}


def test_a_till_in_order(tmp_path: Path) -> None:
    told = codes_of(made_till(tmp_path), Clock())
    assert told == {"till": "", "journal": "", "disk": "", "clock": ""}


def test_a_till_that_is_not_there_or_not_enrolled(tmp_path: Path) -> None:
    assert codes_of(tmp_path, Clock())["till"] == "TILL_MISSING"
    made_till(tmp_path)
    (tmp_path / "certificate.cose").unlink()
    assert codes_of(tmp_path, Clock())["till"] == "TILL_NOT_ENROLLED"


def test_a_full_disk_is_said_before_a_customer_finds_it(tmp_path: Path) -> None:
    assert codes_of(made_till(tmp_path), Clock(), free=10**6)["disk"] == "JOURNAL_DISK_FULL"


@pytest.mark.parametrize("unix_s", [0, OLDEST - 1])
def test_a_clock_from_before_this_program_is_wrong(tmp_path: Path, unix_s: int) -> None:
    assert codes_of(made_till(tmp_path), Clock(unix_s))["clock"] == "CLOCK_BEHIND"


def test_a_clock_behind_the_tills_own_files_is_wrong(tmp_path: Path) -> None:
    directory = made_till(tmp_path)
    later = OLDEST + 30 * 86_400
    os.utime(directory / "journal.db", (later, later))
    assert codes_of(directory, Clock(OLDEST + 86_400))["clock"] == "CLOCK_BEHIND"
    assert codes_of(directory, Clock(later))["clock"] == ""


# the command -----------------------------------------------------------------------------


@pytest.fixture
def command() -> Typer:
    made = Typer()
    made.command()(doctor)
    return made


def test_the_command_on_a_card_image(command: Typer, tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(image.encode(purse_memory()))
    result = CliRunner().invoke(command, ["--card", str(path), "--json", "--lang", "en"])
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["ok"] is True
    assert [item["check"] for item in told["findings"]] == ["atr", "kind", "purses", "clock"]


def test_what_is_missing_is_exit_1_with_its_sentence(command: Typer, tmp_path: Path) -> None:
    path = tmp_path / "blank.json"
    memory = make_card(WHITE, SeededRandomness("blank"), Holder(), TRAINING_TRANSPORT_KEYS)
    path.write_bytes(image.encode(memory))
    result = CliRunner().invoke(command, ["--card", str(path), "--lang", "it"])
    assert result.exit_code == 1
    assert "MANCA" in result.stdout
    assert "carta bianca" in result.stdout
