"""A card that answers from a recorded trace, and says where a run departs from it.

It knows nothing but the recording: whoever asks for something else, or in another order,
gets a ``ReplayError`` that names the line. What differs between two runs by its nature
(challenges, the host's randoms) differs here too, unless the run is seeded as it was.
"""

from pathlib import Path

from cardlib.errors import CardGoneError
from cardlib.trace import Exchange, command_name, masked
from cardlib.trace.recording import Recording, Reset, read_recording
from simulator.errors import ImageError, ReplayError

SUFFIX = ".trace"
_FIRST_EVENT_LINE = 2


class ReplayConnection:
    """A ``cardlib.connection.CardConnection`` to a card of which only a trace is left."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._next = 0

    @classmethod
    def load(cls, path: Path) -> "ReplayConnection":
        """The trace at ``path``; MalformedError or ImageError when there is none to read."""
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise ImageError(why=f"{path}: no text to read") from error
        return cls(read_recording(lines))

    @property
    def atr(self) -> bytes:
        """Answer to reset, as recorded."""
        return self._recording.atr

    @property
    def finished(self) -> bool:
        """Whether everything recorded was asked for again, resets at the end aside."""
        rest = self._recording.events[self._next :]
        return all(isinstance(event, Reset) for event in rest)

    def transmit(self, apdu: bytes) -> bytes:
        """The recorded answer; CardGoneError where it was lost then, too.

        ReplayError ``TRACE_DEPARTED`` for another command than the recorded one (PINs
        aside, which no trace holds), ``TRACE_ENDED`` after the last.
        """
        expected = self._expected(apdu)
        if masked(apdu) != masked(expected.command):
            raise self._departed(apdu, expected)
        self._next += 1
        if expected.answer is None:
            raise CardGoneError
        return expected.answer

    def reset(self) -> None:
        """Goes on; a reset where none was recorded changes nothing that is recorded."""
        events = self._recording.events
        if self._next < len(events) and isinstance(events[self._next], Reset):
            self._next += 1

    def close(self) -> None:
        """Lets go as with a reset."""
        self.reset()

    def _expected(self, apdu: bytes) -> Exchange:
        for event in self._recording.events[self._next :]:
            if isinstance(event, Exchange):
                return event
            self._next += 1
        raise ReplayError("TRACE_ENDED", line=self._line, asked=_shown(apdu))

    def _departed(self, apdu: bytes, expected: Exchange) -> ReplayError:
        return ReplayError(
            "TRACE_DEPARTED", line=self._line, asked=_shown(apdu), recorded=_shown(expected.command)
        )

    @property
    def _line(self) -> int:
        return self._next + _FIRST_EVENT_LINE


def _shown(apdu: bytes) -> str:
    return f"{command_name(apdu)} ({masked(apdu).hex().upper()})"
