"""The card image: the memory of one virtual card as JSON, format 1.

::

    {"format": "borsellino-card", "version": 1,
     "mask": "crs-stincard", "serial": "6030000000000019", "atr": "3BFF…", "mf": DIRECTORY}

    DIRECTORY = {"fid": "3F00", "life": "operational", "access": "00…" (9 bytes),
                 "pins": {"10": {"value": "3132…", "tries_max": 3, "tries_left": 3,
                                 "unblocked_by": "11" or null}},
                 "keys": {"02": "16 bytes"}, "rsa_keys": {"01": "PKCS #8 DER"},
                 "files": [FILE], "directories": [DIRECTORY]}

    FILE = {"fid": "B103", "structure": "cyclic_fixed", "record_size": 54,
            "access": "…", "sfi": 3, "records": ["54 bytes", …]}

Bytes and ids are hexadecimal. A transparent file is one record. The image holds every
key and PIN in clear: it is a card for training and tests, and worth what its file is.
Only the current version is read.
"""

import json
from typing import Any

from cardlib.codec.files import Structure
from simulator.card.access import Access, Pin
from simulator.card.filesystem import Directory, ElementaryFile, FileSpec, LifeCycle, Memory
from simulator.errors import ImageError

FORMAT = "borsellino-card"
VERSION = 1

Json = dict[str, Any]


def encode(memory: Memory) -> bytes:
    """The image of a memory."""
    image: Json = {
        "format": FORMAT,
        "version": VERSION,
        "mask": memory.mask,
        "serial": memory.serial,
        "atr": memory.atr.hex(),
        "mf": _directory_out(memory.mf),
    }
    return json.dumps(image, indent=1).encode() + b"\n"


def decode(image: bytes) -> Memory:
    """The memory in an image; ImageError when it is none, or of another version."""
    try:
        fields = json.loads(image)
        if fields["format"] != FORMAT:
            raise ImageError(why="it is not a card image")
        if fields["version"] != VERSION:
            raise ImageError("CARD_IMAGE_VERSION", version=str(fields["version"]))
        atr = bytes.fromhex(fields["atr"])
        return Memory(fields["mask"], fields["serial"], atr, _directory_in(fields["mf"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(why=f"{type(error).__name__}: {error}") from error


def _directory_out(directory: Directory) -> Json:
    return {
        "fid": f"{directory.fid:04X}",
        "life": directory.life.value,
        "access": directory.access.conditions.hex(),
        "pins": {f"{ref:02X}": _pin_out(pin) for ref, pin in directory.pins.items()},
        "keys": {f"{ref:02X}": key.hex() for ref, key in directory.keys.items()},
        "rsa_keys": {f"{ref:02X}": key.hex() for ref, key in directory.rsa_keys.items()},
        "files": [_file_out(file) for file in directory.files],
        "directories": [_directory_out(child) for child in directory.directories],
    }


def _directory_in(fields: Json) -> Directory:
    return Directory(
        fid=int(fields["fid"], 16),
        access=Access(bytes.fromhex(fields["access"])),
        life=LifeCycle(fields["life"]),
        files=[_file_in(file) for file in fields["files"]],
        directories=[_directory_in(child) for child in fields["directories"]],
        pins={int(ref, 16): _pin_in(pin) for ref, pin in fields["pins"].items()},
        keys={int(ref, 16): bytes.fromhex(key) for ref, key in fields["keys"].items()},
        rsa_keys={int(ref, 16): bytes.fromhex(key) for ref, key in fields["rsa_keys"].items()},
    )


def _pin_out(pin: Pin) -> Json:
    return {
        "value": pin.value.hex(),
        "tries_max": pin.tries_max,
        "tries_left": pin.tries_left,
        "unblocked_by": None if pin.unblocked_by is None else f"{pin.unblocked_by:02X}",
    }


def _pin_in(fields: Json) -> Pin:
    puk = fields["unblocked_by"]
    return Pin(
        bytes.fromhex(fields["value"]),
        fields["tries_max"],
        fields["tries_left"],
        None if puk is None else int(puk, 16),
    )


def _file_out(file: ElementaryFile) -> Json:
    spec = file.spec
    return {
        "fid": f"{spec.fid:04X}",
        "structure": spec.structure.name.lower(),
        "record_size": spec.record_size,
        "access": spec.access.conditions.hex(),
        "sfi": spec.sfi,
        "records": [record.hex() for record in file.records],
    }


def _file_in(fields: Json) -> ElementaryFile:
    records = [bytes.fromhex(record) for record in fields["records"]]
    spec = FileSpec(
        fid=int(fields["fid"], 16),
        structure=Structure[fields["structure"].upper()],
        record_size=fields["record_size"],
        records=len(records),
        access=Access(bytes.fromhex(fields["access"])),
        sfi=fields["sfi"],
    )
    if not records or any(len(record) != spec.record_size for record in records):
        raise ImageError(why=f"file {fields['fid']}: a record has another length")
    return ElementaryFile(spec, records)
