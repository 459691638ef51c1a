"""What chips of several makers do differently, as data that commands consult.

A mask (``simulator.card.masks``) names its traits; ``chip.traits`` are those of the
card's mask. The defaults are the profile of ``docs/card-profile.md`` and nothing more.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from cardlib.codec.atr import TransmissionProtocol
from cardlib.codec.status import Status


class PinSearch(StrEnum):
    """Where a PIN reference with bit 8 set looks; without that bit all look in the MF."""

    UPWARD = "upward"
    """From the current directory up to the MF (CIE functional specification, table 46)."""
    CURRENT = "current"
    """In the current directory only (ISO/IEC 7816-4, *specific reference data*)."""


class Listing(StrEnum):
    """The maker's command that lists a directory."""

    NONE = "none"
    DIRECTORY = "directory"
    """80 16, of Siemens masks."""
    SCAN = "scan"
    """B0 FC."""


class PurseKind(StrEnum):
    """What a purse directory can do, which decides the commands of the chip."""

    FILE = "file"
    """A cyclic file that the till writes under a MAC."""
    APPLET = "applet"
    """The chip checks the arithmetic itself."""
    LEGACY = "legacy"
    """The answer key is fixed, or the challenge does not outlive a read."""


class CnsVersion(Enum):
    """Version of the CNS specification: the historical byte after "CNS"."""

    V1_0 = 0x10
    V1_1 = 0x11

    @property
    def rsa_bits(self) -> int:
        """Size of the holder's key."""
        return 1024 if self is CnsVersion.V1_0 else 2048


@dataclass(frozen=True, slots=True)
class FciForm:
    """How SELECT describes what it has selected (ISO/IEC 7816-4, 7.4.3)."""

    template: int = 0x6F
    """Outer tag: 6F or 62."""
    long_descriptor: bool = False
    """Tag 82 of a transparent file with three bytes (``01 FF FF``) instead of one."""
    sized_directories: bool = False
    """Tag 85 of a directory as ``01 size(2)`` instead of ``01``."""
    trimmed_access: bool = False
    """Tag 86 without its trailing FF bytes, which mean the same when they are missing."""
    total_size: bool = False
    """Tag 81, the size with structure, beside tag 80."""


@dataclass(frozen=True, slots=True)
class EndOfFile:
    """What READ BINARY says where a file ends."""

    short: Status = Status.END_OF_FILE
    """With the bytes that there were, when Le asked for more: 6282 or 9000."""
    beyond: Status = Status.WRONG_OFFSET
    """For an offset behind the end: 6B00 or 6282. *At* the end it is ``short``, no data."""


@dataclass(frozen=True, slots=True)
class Traits:
    """All that a mask may do in its own way."""

    protocol: TransmissionProtocol = TransmissionProtocol.T1
    pin_search: PinSearch = PinSearch.UPWARD
    fci: FciForm = field(default_factory=FciForm)
    end_of_file: EndOfFile = field(default_factory=EndOfFile)
    extended_length: bool = False
    command_chaining: bool = False
    listing: Listing = Listing.NONE
    cns: CnsVersion | None = None
    """None for a card that is no CNS."""
    purse: PurseKind = PurseKind.FILE
