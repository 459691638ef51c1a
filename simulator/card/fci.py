"""File control information: what SELECT answers and CREATE FILE demands.

One template for both (ISO/IEC 7816-4, 7.4.3): ``6F`` from SELECT, ``62`` in CREATE
FILE. A file: ``80 02 size · 82 descriptor · 83 02 id · 85 01 01 · 86 09 access``, with
``88 01 sfi`` where there is one. A directory: the same without size, descriptor 38 FF.
What a mask says differently when asked is its ``traits.FciForm``.
"""

from cardlib.codec import tlv
from cardlib.codec.files import Structure
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec
from simulator.card.traits import FciForm

TAG_FCP = 0x62
_SIZE, _TOTAL_SIZE, _DESCRIPTOR, _FID, _PROPRIETARY, _ACCESS, _SFI = (
    0x80,
    0x81,
    0x82,
    0x83,
    0x85,
    0x86,
    0x88,
)
_STATUS_ACTIVE = b"\x01"
_DF_CODING = b"\xff"
_RECORD_CODING = 0x01
FILE_OVERHEAD = 16
"""Bytes that a file or directory takes beyond its content; our own figure."""


def fci(target: Directory | ElementaryFile, form: FciForm) -> bytes:
    """The answer of SELECT with P2 00, as the mask words it."""
    if isinstance(target, Directory):
        objects = directory_objects(target.fid, target.access.conditions)
        changes = _directory_changes(target, form)
    else:
        objects = file_objects(target.spec)
        changes = _file_changes(target.spec, form)
    if form.trimmed_access:
        trimmed = _access_of(target).rstrip(b"\xff") or b"\xff"
        changes[_ACCESS] = [tlv.Tlv(_ACCESS, trimmed)]
    worded = [new for old in objects for new in changes.get(old.tag, [old])]
    return bytes(tlv.Tlv(form.template, tlv.encode(worded)))


def _access_of(target: Directory | ElementaryFile) -> bytes:
    """The nine access bytes of either."""
    access = target.access if isinstance(target, Directory) else target.spec.access
    return access.conditions


def _directory_changes(target: Directory, form: FciForm) -> dict[int, list[tlv.Tlv]]:
    if not form.sized_directories:
        return {}
    size = sum(file.spec.size for inner in target.walk() for file in inner.files)
    value = _STATUS_ACTIVE + min(size, 0xFFFF).to_bytes(2, "big")
    return {_PROPRIETARY: [tlv.Tlv(_PROPRIETARY, value)]}


def _file_changes(spec: FileSpec, form: FciForm) -> dict[int, list[tlv.Tlv]]:
    changes: dict[int, list[tlv.Tlv]] = {}
    if form.total_size:
        size = tlv.Tlv(_SIZE, spec.size.to_bytes(2, "big"))
        total = (spec.size + FILE_OVERHEAD).to_bytes(2, "big")
        changes[_SIZE] = [size, tlv.Tlv(_TOTAL_SIZE, total)]
    if form.long_descriptor and spec.structure is Structure.TRANSPARENT:
        changes[_DESCRIPTOR] = [tlv.Tlv(_DESCRIPTOR, bytes((spec.structure,)) + b"\xff\xff")]
    return changes


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
