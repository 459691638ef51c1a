"""The two files of 3F00/1200 that tell what else is on the card, as they are read.

EF_MemoriaResidua (1202): bytes left for services, two bytes big endian. EF_ServiziInstallati
(1203): one ``62 07 { 83 02 id · 8A 01 life }`` a service, zeros behind; life 03 while it is
being installed, 05 when it works (ISO/IEC 7816-4, table 13). Coding and figures are ours:
no source says how real cards write these files.
"""

from cardlib.codec import tlv
from cardlib.codec.files import DF_SERVICES, EF_MEMORIA_RESIDUA, EF_SERVIZI_INSTALLATI
from simulator.card.fci import FILE_OVERHEAD, TAG_FCP
from simulator.card.filesystem import Directory, ElementaryFile, LifeCycle

SERVICES_MEMORY = 0x8000
"""Bytes that a card has for services before the first: room for all fifteen purses."""
FREE_MEMORY_SIZE, INSTALLED_SERVICES_SIZE = 2, 144
_KEY_OVERHEAD = 8
_FID, _LIFE = 0x83, 0x8A
_LIFE_CODES = {LifeCycle.CREATION: b"\x03", LifeCycle.OPERATIONAL: b"\x05"}


def content_of(directory: Directory, file: ElementaryFile) -> bytes:
    """What a read of ``file`` finds: its content, or for those two what is so now."""
    if directory.fid != DF_SERVICES or file not in directory.files:
        return file.content
    size = file.spec.size
    if file.spec.fid == EF_MEMORIA_RESIDUA[-1]:
        return free_memory(directory).to_bytes(size, "big")
    if file.spec.fid == EF_SERVIZI_INSTALLATI[-1]:
        return installed(directory)[:size].ljust(size, b"\x00")
    return file.content


def free_memory(services: Directory) -> int:
    """Bytes left, not below zero."""
    return max(0, SERVICES_MEMORY - sum(_size(item) for item in services.directories))


def installed(services: Directory) -> bytes:
    """The list of services in their order on the card."""
    return tlv.encode(
        tlv.Tlv(
            TAG_FCP,
            tlv.encode(
                (
                    tlv.Tlv(_FID, item.fid.to_bytes(2, "big")),
                    tlv.Tlv(_LIFE, _LIFE_CODES[item.life]),
                )
            ),
        )
        for item in services.directories
    )


def _size(directory: Directory) -> int:
    files = sum(FILE_OVERHEAD + file.spec.size for file in directory.files)
    keys = sum(_KEY_OVERHEAD + len(key) for key in directory.keys.values())
    pins = sum(_KEY_OVERHEAD + len(pin.value) for pin in directory.pins.values())
    return FILE_OVERHEAD + files + keys + pins
