"""Files of an export on the disk: rows, hashes, manifest, as docs/export-format.md says."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.integration.verifier.journal import MORNING

Row = dict[str, Any]
Files = dict[str, list[Row]]

NAMES = (
    "accounts", "acknowledgements", "attestations", "awards", "batches", "cases", "entries",
    "fundings", "grants", "issuers", "merchants", "operator", "orders", "payments", "purses",
    "statements", "terminals", "transfers",
)  # fmt: skip
MANIFEST = "manifest"
"""Under this name: one row of more fields of the manifest."""
LATER = ("returns", "given_statements")
"""Files that an export from before there were such things does not have."""


def chain(files: Files) -> Files:
    """Gives every transfer the hash of the one before and its own."""
    head = bytes(32)
    for row in files["transfers.jsonl"]:
        clear = {key: value for key, value in row.items() if key not in ("prev_hash", "hash")}
        text = json.dumps(clear, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        row["prev_hash"], head = head.hex(), sha256(head + text.encode()).digest()
        row["hash"] = head.hex()
    return files


def write(files: Files, directory: Path) -> Path:
    """Writes the files with a manifest that fits them, whatever they say."""
    directory.mkdir(parents=True, exist_ok=True)
    listed = {}
    for name in (*NAMES, *(name for name in LATER if f"{name}.jsonl" in files)):
        rows = files.get(f"{name}.jsonl", [])
        octets = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        (directory / f"{name}.jsonl").write_bytes(octets)
        listed[f"{name}.jsonl"] = {"sha256": sha256(octets).hexdigest(), "rows": len(rows)}
    last = files["transfers.jsonl"][-1]
    manifest = {
        "format": 1, "created_at": MORNING, "operator": "Operator", "currency": "EUR",
        "ledger_head": {"transfer": last["id"], "hash": last["hash"]}, "files": listed,
        **files.get(MANIFEST, [{}])[0],
    }  # fmt: skip
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory
