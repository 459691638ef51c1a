"""Reads the files of an export, row by row, and says what is wrong with them.

A row that is not what docs/export-format.md says is a finding and is left out;
reading goes on. No file is held in memory.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from backend.verifier.export import schema
from backend.verifier.findings import Findings, Law, Place

MANIFEST = "manifest.json"
FORMAT = 1
CURRENCY = "EUR"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file; ``raw`` is the JSON object as it stands there."""

    file: str
    line: int
    values: dict[str, Any]
    raw: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.values[field]

    def place(self, document: str | None = None) -> Place:
        """Where this row stands."""
        return Place(self.file, self.line, document=document)


class Export:
    """An export in ``directory``."""

    def __init__(self, directory: Path, findings: Findings) -> None:
        self._directory = directory
        self._findings = findings
        self.manifest: dict[str, Any] = {}
        self._absent: frozenset[str] = frozenset()

    def check_files(self) -> bool:
        """Reads the manifest and compares every file with it; whether judging makes sense."""
        listed = self._read_manifest()
        if listed is None:
            return False
        complete = True
        self._absent = schema.OPTIONAL - listed.keys()
        for name in schema.FILES:
            if name in self._absent:
                continue
            complete = self._check_file(name, listed.get(name)) and complete
        return complete

    def _read_manifest(self) -> dict[str, Any] | None:
        place = Place(MANIFEST)
        try:
            raw = _parse((self._directory / MANIFEST).read_bytes())
            self.manifest = schema.MANIFEST(raw)
            files = raw.get("files")
            if not isinstance(files, dict):
                raise ValueError("files is missing")
        except OSError:
            self._findings.add(Law.EXPORT, "EXPORT_MANIFEST_MISSING", place)
            return None
        except ValueError as error:
            self._findings.add(Law.EXPORT, "EXPORT_MANIFEST_BROKEN", place, why=str(error))
            return None
        if self.manifest["format"] != FORMAT or self.manifest["currency"] != CURRENCY:
            self._findings.add(Law.EXPORT, "EXPORT_FORMAT_UNKNOWN", place)
            return None
        return files

    def _check_file(self, name: str, listed: Any) -> bool:
        path = self._directory / name
        if not path.is_file():
            self._findings.add(Law.EXPORT, "EXPORT_FILE_MISSING", Place(name), file=name)
            return False
        digest, lines = _digest(path)
        if not isinstance(listed, dict) or listed.get("sha256") != digest:
            self._findings.add(Law.EXPORT, "EXPORT_FILE_CHANGED", Place(name), file=name)
        elif listed.get("rows") != lines:
            self._findings.add(Law.EXPORT, "EXPORT_ROWS_MISSING", Place(name), file=name)
        return True

    def rows(self, name: str) -> Iterator[Row]:
        """The rows of one file, those that can be read."""
        if name in self._absent:
            return iter(())
        return self.rows_of(self._directory / name, schema.FILES[name])

    def rows_of(self, path: Path, read: schema.Reader) -> Iterator[Row]:
        """The rows of any file, each read by ``read``."""
        with path.open("rb") as lines:
            for line, octets in enumerate(lines, start=1):
                try:
                    raw = _parse(octets)
                    yield Row(path.name, line, read(raw), raw)
                except ValueError as error:
                    place = Place(path.name, line)
                    self._findings.add(Law.EXPORT, "EXPORT_ROW_BROKEN", place, why=str(error))


def _digest(path: Path) -> tuple[str, int]:
    digest, lines = sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            lines += chunk.count(b"\n")
    return digest.hexdigest(), lines


def _parse(octets: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(value, dict):
        raise ValueError("an object wanted")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a field stands there twice")
    return result


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no integer")
