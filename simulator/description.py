"""What is on a virtual card, for people and as JSON. Never a key, never a PIN.

Of purse records only what stands in clear: type, counter, slot, grant number.
"""

from collections.abc import Iterator
from typing import Any

from cardlib.codec import files
from cardlib.codec.purse import SpendType
from cardlib.codec.reader import Reader
from cardlib.text import catalogue
from simulator.card.filesystem import Directory, ElementaryFile, Memory
from simulator.card.purse_profile import info_of

Json = dict[str, Any]

_PURSE_NAMES = {(file.fid,): file.name for file in files.PURSE_FILES}
_NAMES = {
    path: name
    for name, path in vars(files).items()
    if name.startswith("EF_") and isinstance(path, tuple)
}


def as_object(memory: Memory) -> Json:
    """The whole card."""
    return {
        "mask": memory.mask,
        "serial": memory.serial,
        "atr": memory.atr.hex(),
        "directories": [_directory(path, item) for path, item in _walk((), memory.mf)],
    }


def as_lines(memory: Memory, lang: str) -> list[str]:
    """The same, to be read."""
    return lines_of(as_object(memory), lang)


def lines_of(card: Json, lang: str) -> list[str]:
    """What :func:`as_object` gave, to be read."""
    head = catalogue.label("sim", "card", lang, mask=card["mask"], serial=card["serial"])
    lines = [head, f"ATR {card['atr'].upper()}"]
    for directory in card["directories"]:
        lines += _directory_lines(directory, lang)
    return lines


def _walk(path: files.Path, directory: Directory) -> Iterator[tuple[files.Path, Directory]]:
    yield path, directory
    for child in directory.directories:
        yield from _walk((*path, child.fid), child)


def _directory(path: files.Path, directory: Directory) -> Json:
    fields: Json = {
        "path": "/".join(f"{fid:04X}" for fid in (files.MF, *path)),
        "life": directory.life.value,
        "files": [_file(path, file) for file in directory.files],
        "tries_left": {f"{ref:02X}": pin.tries_left for ref, pin in directory.pins.items()},
        "keys": [f"{ref:02X}" for ref in (*directory.keys, *directory.rsa_keys)],
    }
    if len(path) == 2:
        fields["purse"] = purse_object(directory)
    return fields


def _file(path: files.Path, file: ElementaryFile) -> Json:
    spec = file.spec
    own = (spec.fid,)
    return {
        "fid": f"{spec.fid:04X}",
        "name": _PURSE_NAMES.get(own) or _NAMES.get((*path, spec.fid), ""),
        "structure": spec.structure.name.lower(),
        "records": spec.records,
        "record_size": spec.record_size,
    }


def purse_object(directory: Directory) -> Json | None:
    """One purse, as far as it stands in clear; None before it is personalised."""
    info = info_of(directory)
    if info is None:
        return None
    return {
        "issuer": info.issuer_code,
        "purse": info.purse.hex(),
        "suite": info.suite,
        "key_set": info.key_set,
        "pin_enforced": info.pin_enforced,
        "expires_on": info.expires_on.isoformat(),
        "record_map": info.record_map,
        "spends": _records(directory, files.EF_SPEND, _spend),
        "grants": _records(directory, files.EF_GRANT, _grant),
    }


def _records(directory: Directory, spec: files.PurseFile, read: Any) -> list[Json]:
    file = directory.file(spec.fid)
    records = file.records if file else []
    return [
        {"record": number, **read(record)}
        for number, record in enumerate(records, 1)
        if any(record)
    ]


def _spend(record: bytes) -> Json:
    reader = Reader(record, files.EF_SPEND.name)
    kind, ctr = reader.uint(1), reader.uint(3)
    name = SpendType(kind).name.lower() if kind <= SpendType.VOID else "torn"
    return {"type": name, "ctr": ctr}


def _grant(record: bytes) -> Json:
    reader = Reader(record, files.EF_GRANT.name)
    return {"slot": reader.uint(1), "grant_seq": reader.uint(3)}


def _directory_lines(fields: Json, lang: str) -> list[str]:
    life = "" if fields["life"] == "operational" else f"  ({fields['life']})"
    lines = ["", fields["path"] + life]
    lines += [_file_line(file, lang) for file in fields["files"]]
    for reference, left in fields["tries_left"].items():
        lines.append("  " + catalogue.label("sim", "tries", lang, pin=reference, left=left))
    if fields["keys"]:
        keys = " ".join(fields["keys"])
        lines.append("  " + catalogue.label("sim", "keys", lang, keys=keys))
    purse = fields.get("purse")
    return lines + (_purse_lines(purse, lang) if purse else [])


def _file_line(file: Json, lang: str) -> str:
    structure = catalogue.label("sim", f"structure_{file['structure']}", lang)
    size = f"{file['records']} × {file['record_size']}" if file["records"] > 1 else ""
    name = file["name"].ljust(28)
    return f"  {file['fid']}  {name} {structure:<14} {size or file['record_size']}"


def _purse_lines(purse: Json, lang: str) -> list[str]:
    facts = {key: value for key, value in purse.items() if isinstance(value, str | int)}
    lines = ["  " + catalogue.label("sim", "purse", lang, **facts)]
    lines += ["    " + _spend_line(spend, lang) for spend in purse["spends"]]
    lines += ["    " + catalogue.label("sim", "grant", lang, **grant) for grant in purse["grants"]]
    return lines


def _spend_line(spend: Json, lang: str) -> str:
    kind = spend["type"]
    if kind == "torn":
        word = catalogue.label("sim", "torn", lang)
    else:
        word = catalogue.label("card", f"record_{kind}", lang)
    return catalogue.label("sim", "spend", lang, **{**spend, "type": word})
