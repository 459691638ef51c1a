"""File control information: what SELECT answers and CREATE FILE demands.

One template for both (ISO/IEC 7816-4, 7.4.3): ``6F`` from SELECT, ``62`` in CREATE
FILE. A file: ``80 02 size · 82 descriptor · 83 02 id · 85 01 01 · 86 09 access``, with
``88 01 sfi`` where there is one. A directory: the same without size, descriptor 38 FF.
"""

from cardlib.codec import tlv
from cardlib.codec.files import Structure
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec

TAG_FCI, TAG_FCP = 0x6F, 0x62
_SIZE, _DESCRIPTOR, _FID, _PROPRIETARY, _ACCESS, _SFI = 0x80, 0x82, 0x83, 0x85, 0x86, 0x88
_STATUS_ACTIVE = b"\x01"
_DF_CODING = b"\xff"
_RECORD_CODING = 0x01


def fci(target: Directory | ElementaryFile) -> bytes:
    """The answer of SELECT with P2 00."""
    if isinstance(target, Directory):
        objects = directory_objects(target.fid, target.access.conditions)
    else:
        objects = file_objects(target.spec)
    return bytes(tlv.Tlv(TAG_FCI, tlv.encode(objects)))


def directory_objects(fid: int, access: bytes) -> list[tlv.Tlv]:
    """The objects of a directory."""
    descriptor = bytes((Structure.DF,)) + _DF_CODING
    return [tlv.Tlv(_DESCRIPTOR, descriptor), *_common(fid, access)]


def file_objects(spec: FileSpec) -> list[tlv.Tlv]:
    """The objects of an elementary file."""
    objects = [
        tlv.Tlv(_SIZE, spec.size.to_bytes(2, "big")),
        tlv.Tlv(_DESCRIPTOR, _descriptor(spec)),
        *_common(spec.fid, spec.access.conditions),
    ]
    return [*objects, tlv.Tlv(_SFI, bytes((spec.sfi << 3,)))] if spec.sfi else objects


def _descriptor(spec: FileSpec) -> bytes:
    if spec.structure is Structure.TRANSPARENT:
        return bytes((spec.structure,))
    head = bytes((spec.structure, _RECORD_CODING))
    return head + spec.record_size.to_bytes(2, "big") + bytes((spec.records,))


def _common(fid: int, access: bytes) -> list[tlv.Tlv]:
    return [
        tlv.Tlv(_FID, fid.to_bytes(2, "big")),
        tlv.Tlv(_PROPRIETARY, _STATUS_ACTIVE),
        tlv.Tlv(_ACCESS, access),
    ]
