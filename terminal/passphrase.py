"""Secrets that commands need: from a file or a prompt, never from the command line."""

from collections.abc import Callable, Mapping
from getpass import getpass
from pathlib import Path

from cardlib.codec.pin import Pin
from terminal.errors import TillError

PASSPHRASE_FILE = "BORSELLINO_PASSPHRASE_FILE"  # noqa: S105 - a name, not a secret

Ask = Callable[[str], str]


def read_passphrase(environment: Mapping[str, str], question: str, ask: Ask = getpass) -> str:
    """The till's passphrase: the first line of the file that the environment names, else asked."""
    named = environment.get(PASSPHRASE_FILE)
    return read_secret(Path(named)) if named else ask(question)


def read_pin(path: Path | None, question: str, ask: Ask = getpass) -> Pin:
    """The customer's PIN; PinError ``PIN_FORMAT`` when it cannot be one."""
    return Pin(read_secret(path) if path else ask(question).strip())


def read_secret(path: Path) -> str:
    """The first line of a file; TillError ``SECRET_UNREADABLE``."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TillError("SECRET_UNREADABLE", path=str(path)) from error
    return lines[0].strip() if lines else ""
