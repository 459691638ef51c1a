"""What a machine's disk holds, and what of it is only in memory yet.

A program sees everything that it wrote. On the platter is what was synced: a file's
content by syncing the file, its name by syncing the directory. When the power goes, each
write that was not synced is kept, lost or torn, each for itself: sectors are 512 bytes,
and nothing promises an order.
"""

from dataclasses import dataclass, field
from random import Random

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes from ``offset`` on."""

    offset: int
    data: bytes

    def apply(self, content: bytearray) -> None:
        """Into a file's content; a gap before it reads as zeros."""
        if self.offset > len(content):
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : self.offset + len(self.data)] = self.data

    def torn(self, rng: Random) -> "list[Write]":
        """The sectors that reached the platter, any of them."""
        parts: list[Write] = []
        at, end = self.offset, self.offset + len(self.data)
        while at < end:
            following = min(end, at - at % SECTOR + SECTOR)
            if rng.random() < 0.5:
                data = self.data[at - self.offset : following - self.offset]
                parts.append(Write(at, data))
            at = following
        return parts


@dataclass(frozen=True, slots=True)
class Truncation:
    """A file cut to ``size`` bytes, or grown to it by zeros."""

    size: int

    def apply(self, content: bytearray) -> None:
        """To a file's content."""
        if self.size <= len(content):
            del content[self.size :]
        else:
            content.extend(bytes(self.size - len(content)))


@dataclass(slots=True)
class File:
    """``content`` as programs see it, ``lasting`` as synced, ``pending`` what is between."""

    content: bytearray = field(default_factory=bytearray)
    lasting: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncation] = field(default_factory=list)

    @classmethod
    def synced(cls, content: bytes) -> "File":
        """A file that is wholly on the platter."""
        return cls(bytearray(content), bytearray(content))

    def change(self, change: Write | Truncation) -> None:
        """Not synced yet."""
        change.apply(self.content)
        self.pending.append(change)

    def sync(self) -> None:
        """From here on everything in it survives."""
        for change in self.pending:
            change.apply(self.lasting)
        self.pending.clear()

    def lose(self, rng: Random) -> None:
        """What a power cut makes of it."""
        for change in self.pending:
            for part in _surviving(change, rng):
                part.apply(self.lasting)
        self.pending.clear()
        self.content = bytearray(self.lasting)


def _surviving(change: Write | Truncation, rng: Random) -> list[Write] | list[Truncation]:
    fate = rng.randrange(3)
    if isinstance(change, Truncation):
        return [change] if fate else []
    return ([], [change], change.torn(rng) if fate == 2 else [])[fate]


@dataclass(frozen=True, slots=True)
class NameChange:
    """A file of which one name goes (if any) and one comes (if any), both at once."""

    file: File
    gone: str = ""
    new: str = ""

    def apply(self, names: dict[str, File]) -> None:
        """To a directory."""
        if self.gone and names.get(self.gone) is self.file:
            del names[self.gone]
        if self.new:
            names[self.new] = self.file


class Names:
    """Which file has which name; directories are part of the names and need no making."""

    def __init__(self) -> None:
        self.seen: dict[str, File] = {}
        self._lasting: dict[str, File] = {}
        self._pending: list[NameChange] = []

    def change(self, change: NameChange) -> None:
        """Not synced yet."""
        change.apply(self.seen)
        self._pending.append(change)

    def sync(self, directory: str) -> None:
        """From here on the names in this directory survive."""
        waiting: list[NameChange] = []
        for change in self._pending:
            if directory_of(change.new or change.gone) == directory:
                change.apply(self._lasting)
            else:
                waiting.append(change)
        self._pending = waiting

    def lose(self, rng: Random) -> None:
        """What a power cut makes of names and contents."""
        for change in self._pending:
            if rng.random() < 0.5:
                change.apply(self._lasting)
        self._pending.clear()
        self.seen = dict(self._lasting)
        for name in sorted(self.seen):
            self.seen[name].lose(rng)

    def put_back(self, contents: dict[str, bytes]) -> None:
        """Exactly these files, all of them on the platter."""
        self._pending.clear()
        self._lasting = {name: File.synced(content) for name, content in contents.items()}
        self.seen = dict(self._lasting)


def directory_of(name: str) -> str:
    """The part of a name before its last slash."""
    return name.rpartition("/")[0]
