"""Directories and files of a card: what each is (a frozen spec) and what it holds.

Nothing here knows which file is selected or who may read it: that is ``session``
and ``access``. Records keep card order: number 1 first, in a cyclic file the newest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from cardlib.codec.files import PurseFile, Structure
from cardlib.codec.status import Status
from simulator.card.access import Access, Pin
from simulator.card.refusal import Refusal


class LifeCycle(StrEnum):
    """State of a directory (ISO/IEC 7816-9)."""

    CREATION = "creation"
    """Being personalised under transport keys; SELECT does not find it."""
    OPERATIONAL = "operational"


@dataclass(frozen=True, slots=True)
class FileSpec:
    """An elementary file as created: sizes in bytes, ``sfi`` 0 for none."""

    fid: int
    structure: Structure
    record_size: int
    records: int
    access: Access
    sfi: int = 0

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.record_size * self.records

    @classmethod
    def of_purse(cls, file: PurseFile) -> "FileSpec":
        """The spec of a file of DF.BUONO."""
        return cls(
            file.fid,
            file.structure,
            file.record_size,
            file.records,
            Access(file.access),
            file.sfi,
        )


@dataclass(slots=True)
class ElementaryFile:
    """A file's content; a transparent file is one record."""

    spec: FileSpec
    records: list[bytes]

    @classmethod
    def empty(cls, spec: FileSpec) -> "ElementaryFile":
        """All records there, all zero."""
        return cls(spec, [bytes(spec.record_size) for _ in range(spec.records)])

    @classmethod
    def transparent(cls, fid: int, content: bytes, access: Access) -> "ElementaryFile":
        """A transparent file just as long as its content."""
        return cls(FileSpec(fid, Structure.TRANSPARENT, len(content), 1, access), [content])

    @property
    def content(self) -> bytes:
        """What a transparent file holds."""
        return self.records[0]

    def require(self, *structures: Structure) -> None:
        """Refuses with 6981 unless the file is of one of ``structures``."""
        if self.spec.structure not in structures:
            raise Refusal(Status.WRONG_FILE_STRUCTURE)


@dataclass(slots=True)
class Directory:
    """A dedicated file with its files, directories, PINs and keys, each by its id.

    ``keys`` are secret keys of 16 bytes, ``rsa_keys`` private keys as PKCS #8 DER.
    """

    fid: int
    access: Access
    life: LifeCycle = LifeCycle.OPERATIONAL
    files: list[ElementaryFile] = field(default_factory=list)
    directories: list["Directory"] = field(default_factory=list)
    pins: dict[int, Pin] = field(default_factory=dict)
    keys: dict[int, bytes] = field(default_factory=dict)
    rsa_keys: dict[int, bytes] = field(default_factory=dict)

    def file(self, fid: int) -> ElementaryFile | None:
        """The file with this id, or None."""
        return next((file for file in self.files if file.spec.fid == fid), None)

    def file_by_sfi(self, sfi: int) -> ElementaryFile | None:
        """The file with this short id, or None; 0 names none."""
        return next((file for file in self.files if sfi and file.spec.sfi == sfi), None)

    def directory(self, fid: int) -> "Directory | None":
        """The directory with this id if it can be selected, or None."""
        found = next((item for item in self.directories if item.fid == fid), None)
        return found if found and found.life is LifeCycle.OPERATIONAL else None

    def walk(self) -> Iterator["Directory"]:
        """This directory and all below, parents first."""
        yield self
        for directory in self.directories:
            yield from directory.walk()


@dataclass(slots=True)
class Memory:
    """All that a card remembers without power; ``serial`` is 16 digits, as in EF.GDO."""

    mask: str
    serial: str
    atr: bytes
    mf: Directory

    def find(self, path: Iterable[int]) -> Directory | None:
        """The directory at ``path`` below the MF, or None; for tools and tests, not commands."""
        directory: Directory | None = self.mf
        for fid in path:
            if directory is None:
                return None
            directory = next((item for item in directory.directories if item.fid == fid), None)
        return directory
