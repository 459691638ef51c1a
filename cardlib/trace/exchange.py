"""One command and its answer, for people."""

from dataclasses import dataclass, field

from cardlib.codec.apdu import Response
from cardlib.codec.status import status_name
from cardlib.errors import MalformedError
from cardlib.trace.names import command_name, masked


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer as sent over the interface; ``answer`` is None when lost."""

    command: bytes = field(repr=False)
    answer: bytes | None

    @property
    def size(self) -> int:
        """Bytes over the interface, both ways, status word included."""
        return len(self.command) + len(self.answer or b"")

    @property
    def name(self) -> str:
        """The command in words."""
        return command_name(self.command)

    @property
    def response(self) -> Response | None:
        """The answer decoded; None when there was none, or less than a status word."""
        try:
            return None if self.answer is None else Response.decode(self.answer)
        except MalformedError:
            return None

    def __str__(self) -> str:
        shown = masked(self.command).hex().upper()
        if self.answer is None:
            return f"{self.name}: {shown} -> (no answer)"
        response = self.response
        status = "no status word" if response is None else status_name(response.status)
        return f"{self.name}: {shown} -> {self.answer.hex().upper()} ({status})"
