"""File control information: what SELECT with P2 00 says of a file or directory.

One template ``62`` (FCP) or ``6F`` (FCI) with data objects inside; only one level is read,
whatever a card nests in it. Chips word it in different ways: see the masks in
docs/card-profile.md. Nothing of ours is decided from it.
Source: ISO/IEC 7816-4:2020, 7.4.3, table 12; tag 86 as CNS cards have it.
"""

from dataclasses import dataclass
from typing import Self

from cardlib.codec import tlv
from cardlib.codec.files import Structure
from cardlib.errors import MalformedError

TEMPLATES = (0x62, 0x6F)
NEVER = 0xFF
ACCESS_SIZE = 9
_SIZE, _TOTAL_SIZE, _DESCRIPTOR, _FID, _ACCESS, _SFI = 0x80, 0x81, 0x82, 0x83, 0x86, 0x88
_SIZE_BYTES_MAX = 4
_SFI_FORM = 0x07


@dataclass(frozen=True, slots=True)
class FileControl:
    """What a card says of a file; None where it says nothing.

    ``size`` is in bytes of content; ``access`` are nine conditions, of which those that the
    card left out at the end are FF (never).
    """

    template: int
    tags: tuple[int, ...]
    fid: int | None = None
    size: int | None = None
    total_size: int | None = None
    descriptor: int | None = None
    sfi: int | None = None
    access: bytes | None = None

    @property
    def is_directory(self) -> bool:
        """Whether the descriptor says so."""
        return self.descriptor == Structure.DF

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """MalformedError for anything but one template whose objects have possible lengths."""
        outer = tlv.decode(data)
        if len(outer) != 1 or outer[0].tag not in TEMPLATES:
            raise MalformedError("FCP", f"{len(outer)} objects, not one 62 or 6F")
        inner = tlv.decode(outer[0].value)
        tags = tuple(item.tag for item in inner)
        if len(set(tags)) != len(tags):
            raise MalformedError("FCP", "an object stands in it twice")
        found = {item.tag: item.value for item in inner}
        return cls(
            outer[0].tag,
            tags,
            fid=_number(found, _FID, 2, 2),
            size=_number(found, _SIZE, 1, _SIZE_BYTES_MAX),
            total_size=_number(found, _TOTAL_SIZE, 1, _SIZE_BYTES_MAX),
            descriptor=_first(found.get(_DESCRIPTOR)),
            sfi=_short_id(_number(found, _SFI, 0, 1)),
            access=_access(found.get(_ACCESS)),
        )


def _number(found: dict[int, bytes], tag: int, least: int, most: int) -> int | None:
    value = found.get(tag)
    if value is None:
        return None
    if not least <= len(value) <= most:
        raise MalformedError("FCP", f"{tag:02X} of {len(value)} bytes")
    return int.from_bytes(value, "big")


def _first(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not 1 <= len(value) <= 6:
        raise MalformedError("FCP", f"{_DESCRIPTOR:02X} of {len(value)} bytes")
    return value[0]


def _short_id(value: int | None) -> int | None:
    """Five bits at the top of the byte; 0 or no byte says that there is none."""
    if value is None:
        return None
    if value & _SFI_FORM:
        raise MalformedError("FCP", f"short id {value:02X}")
    return value >> 3 or None


def _access(value: bytes | None) -> bytes | None:
    if value is None:
        return None
    if len(value) > ACCESS_SIZE:
        raise MalformedError("FCP", f"{_ACCESS:02X} of {len(value)} bytes")
    return value.ljust(ACCESS_SIZE, bytes((NEVER,)))
