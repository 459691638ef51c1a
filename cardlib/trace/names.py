"""Names of commands, and what must never be shown of them."""

from cardlib.codec.apdu import Command
from cardlib.codec.files import PURSE_FILES
from cardlib.errors import MalformedError

INS_VERIFY, INS_CHANGE, INS_RESET_RETRY = 0x20, 0x24, 0x2C
MALFORMED = "malformed command"
_NAMES = {
    0x20: "VERIFY", 0x22: "MANAGE SECURITY ENVIRONMENT", 0x24: "CHANGE REFERENCE DATA",
    0x2A: "PERFORM SECURITY OPERATION", 0x2C: "RESET RETRY COUNTER", 0x44: "ACTIVATE FILE",
    0x50: "INITIALISE FOR DEBIT", 0x54: "DEBIT", 0x88: "INTERNAL AUTHENTICATE",
    0x84: "GET CHALLENGE", 0x86: "GIVE RANDOM", 0xA4: "SELECT", 0xB0: "READ BINARY",
    0xB2: "READ RECORD", 0xC0: "GET RESPONSE", 0xCA: "GET DATA", 0xD6: "UPDATE BINARY",
    0xDA: "PUT DATA", 0xDC: "UPDATE RECORD", 0xE0: "CREATE FILE", 0xE2: "APPEND RECORD",
    0xE4: "DELETE FILE",
}  # fmt: skip
_NUMBERS = {name: number for number, name in _NAMES.items()}
WRITING = (0x54, 0xD6, 0xDC)
"""Instructions that change a purse."""
_SECRET_INS = (INS_VERIFY, INS_CHANGE, INS_RESET_RETRY)
_RECORD_INS = (0xB2, 0xDC)
_BINARY_INS = (0xB0, 0xD6)


def command_name(apdu: bytes) -> str:
    """``READ RECORD EF.SPEND 1``, ``VERIFY`` …; two hex digits for what has no name."""
    try:
        command = Command.decode(apdu)
    except MalformedError:
        return MALFORMED
    name = _NAMES.get(command.ins, f"INS {command.ins:02X}")
    if command.ins == INS_CHANGE and command.cla & 0x90 == 0x90:
        name = "CHANGE KEY DATA"
    return name + _place(command)


def instruction(name: str) -> int | None:
    """The instruction byte of a command's name, in any case; None for an unknown one."""
    return _NUMBERS.get(name.upper())


def instructions() -> tuple[str, ...]:
    """Every name that :func:`instruction` knows."""
    return tuple(_NUMBERS)


def _place(command: Command) -> str:
    if command.ins in _RECORD_INS:
        file = _purse_file(command.p2 >> 3)
        return f" {file} {command.p1}" if command.p1 else f" {file}"
    if command.ins in _BINARY_INS and command.p1 & 0x80:
        return f" {_purse_file(command.p1 & 0x1F)}"
    return ""


def _purse_file(sfi: int) -> str:
    return next((item.name for item in PURSE_FILES if item.sfi == sfi), f"SFI {sfi}")


def masked(apdu: bytes) -> bytes:
    """The command with PIN, PUK and their cryptograms overwritten by FF."""
    if len(apdu) <= 5 or apdu[1] not in _SECRET_INS:
        return apdu
    return apdu[:5] + b"\xff" * (len(apdu) - 5)
