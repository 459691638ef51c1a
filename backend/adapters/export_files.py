"""Writes an export into a directory: JSON lines, and last the manifest with their hashes."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


def start_export(directory: Path) -> None:
    """Makes the directory; an older export in it is void from now on."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MANIFEST).unlink(missing_ok=True)


def write_lines(path: Path, lines: Iterator[bytes]) -> dict[str, Any]:
    """Writes ``lines``; what the manifest says of the file."""
    digest, rows = sha256(), 0
    with path.open("wb") as stream:
        for line in lines:
            stream.write(line)
            digest.update(line)
            rows += 1
    return {"sha256": digest.hexdigest(), "rows": rows}


def finish_export(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Writes the manifest, whole or not at all: an export is complete when it is there."""
    scratch = directory / (MANIFEST + ".new")
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    scratch.write_text(text + "\n", "utf-8")
    scratch.replace(directory / MANIFEST)
