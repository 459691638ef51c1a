"""A personalised purse directory in one go, for cards that need no personalising.

Tests and trainings start here. What the municipality does instead, over secure
messaging, is in ``commands.creation`` and ``commands.security_objects``; both ways lead to
the same directory.
"""

from collections.abc import Mapping, Sequence

from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_SERVICES,
    EF_GRANT,
    EF_INFO,
    EF_SPEND,
    PURSE_FILES,
    PurseFile,
)
from simulator.card.access import FREE, PIN_SIZE, Pin
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec, Memory
from simulator.card.purse_profile import PIN_ID, PIN_TRIES, PUK_ID, PUK_TRIES


def add_purse(
    memory: Memory,
    *,
    info: bytes,
    keys: Mapping[int, bytes],
    pin: str,
    puk: str,
    spends: Sequence[bytes],
    grants: Mapping[int, bytes] | None = None,
) -> Directory:
    """Adds the next DF.BUONO: ``spends`` newest first, ``grants`` by record number from 1."""
    services = memory.find((DF_SERVICES,))
    assert services is not None
    contents = {
        EF_INFO.fid: [info],
        EF_GRANT.fid: _records(EF_GRANT, grants or {}),
        EF_SPEND.fid: _records(EF_SPEND, dict(enumerate(spends, 1))),
    }
    purse = Directory(DF_BUONO_FIRST + len(services.directories), FREE, keys=dict(keys))
    purse.pins = {
        PIN_ID: Pin.fresh(_padded(pin), PIN_TRIES, unblocked_by=PUK_ID),
        PUK_ID: Pin.fresh(_padded(puk), PUK_TRIES),
    }
    purse.files = [
        ElementaryFile(FileSpec.of_purse(file), contents[file.fid]) for file in PURSE_FILES
    ]
    services.directories.append(purse)
    return purse


def _records(file: PurseFile, given: Mapping[int, bytes]) -> list[bytes]:
    empty = bytes(file.record_size)
    return [given.get(number, empty) for number in range(1, file.records + 1)]


def _padded(digits: str) -> bytes:
    return digits.encode().ljust(PIN_SIZE, b"\xff")
