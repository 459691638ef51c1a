"""A trace as JSON lines, kept and read back. PINs are masked before they are written.

One object a line: a head, then commands and resets in the order in which they came::

    {"format": "borsellino-trace", "version": 1, "atr": "3BFF…"}
    {"command": "00A4080C041200B001", "answer": "9000", "name": "SELECT", "details": […]}
    {"command": "0020009C08FFFFFFFFFFFFFFFF", "answer": null, "name": "VERIFY", "details": […]}
    {"reset": true}

``name`` and ``details`` are for readers; whoever replays a trace ignores them.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TextIO

from cardlib.errors import MalformedError
from cardlib.trace.conversation import Conversation
from cardlib.trace.exchange import Exchange
from cardlib.trace.keyring import Keyring, no_keys
from cardlib.trace.names import masked

FORMAT = "borsellino-trace"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Reset:
    """The card was reset between two commands."""


Event = Exchange | Reset


@dataclass(frozen=True, slots=True)
class Recording:
    """What one reader saw of one card; ``events[n]`` stands in line n + 2 of its file."""

    atr: bytes
    events: tuple[Event, ...]


class Recorder:
    """Writes a trace while it happens, one line at a time."""

    def __init__(self, stream: TextIO, atr: bytes, keyring: Keyring = no_keys) -> None:
        self._stream = stream
        self._conversation = Conversation(keyring)
        self._write({"format": FORMAT, "version": VERSION, "atr": atr.hex().upper()})

    def exchange(self, exchange: Exchange) -> None:
        """One command and its answer."""
        told = self._conversation.decode(exchange).as_object()
        answer = None if exchange.answer is None else exchange.answer.hex().upper()
        command = masked(exchange.command).hex().upper()
        self._write({"command": command, "answer": answer, **told})

    def reset(self) -> None:
        """The card was reset."""
        self._conversation.reset()
        self._write({"reset": True})

    def _write(self, fields: dict[str, object]) -> None:
        self._stream.write(json.dumps(fields) + "\n")
        self._stream.flush()


def read_recording(lines: Iterable[str]) -> Recording:
    """Reads a trace back; MalformedError ``TRACE_UNREADABLE`` names the line."""
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise _unreadable(1, "empty")
    head, *body = [(number, _object(number, line)) for number, line in numbered]
    if (head[1].get("format"), head[1].get("version")) != (FORMAT, VERSION):
        raise _unreadable(1, "no trace of this version")
    atr = _octets(head[0], head[1].get("atr"))
    return Recording(atr, tuple(_event(number, fields) for number, fields in body))


def _object(number: int, line: str) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except ValueError:
        raise _unreadable(number, "no JSON") from None
    if not isinstance(fields, dict):
        raise _unreadable(number, "no JSON object")
    return fields


def _event(number: int, fields: dict[str, Any]) -> Event:
    if fields.get("reset") is True:
        return Reset()
    answer = fields.get("answer")
    command = _octets(number, fields.get("command"))
    return Exchange(command, None if answer is None else _octets(number, answer))


def _octets(number: int, text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else _refuse(number)
    except ValueError:
        raise _unreadable(number, "no bytes in hex") from None


def _refuse(number: int) -> bytes:
    raise _unreadable(number, "no bytes in hex")


def _unreadable(line: int, why: str) -> MalformedError:
    return MalformedError(f"trace, line {line}", why, "TRACE_UNREADABLE")
