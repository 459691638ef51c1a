"""The verifier on the demo's own export, after somebody changed it and made its manifest fit."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from backend.verifier.audit import Verdict, audit
from backend.verifier.findings import Law
from cardlib.wire import cbor, sign1
from cardlib.wire.entry_header import EntryType

# The demo they copy is played once, on one worker.
Row = dict[str, Any]
Change = Callable[[list[Row]], list[Row]]


def audited(town: Path, file: str, change: Change) -> Verdict:
    """The verdict after ``change`` to the rows of one file; the manifest lists the new file."""
    export = town / "export"
    rows = [json.loads(line) for line in (export / file).read_text("utf-8").splitlines()]
    content = "".join(json.dumps(row) + "\n" for row in change(rows)).encode()
    (export / file).write_bytes(content)
    manifest = json.loads((export / "manifest.json").read_text("utf-8"))
    count = content.count(b"\n")
    manifest["files"][file] = {"sha256": sha256(content).hexdigest(), "rows": count}
    (export / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return audit(export)


def entry_type(row: Row) -> int:
    payload = cbor.decode(sign1.parse(bytes.fromhex(row["bytes"])).payload)
    assert isinstance(payload, dict)
    kind = payload[2]
    assert isinstance(kind, int)
    return kind


def fields_of(row: Row) -> list[tuple[int, int, int]]:
    """(key, start, end) of each field's value within the row's bytes."""
    message = sign1.parse(bytes.fromhex(row["bytes"]))
    payload = cbor.decode(message.payload)
    assert isinstance(payload, dict)
    at = message.complete.index(message.payload) + len(cbor.head(5, len(payload)))
    spans = []
    for key, value in payload.items():
        at += len(cbor.encode(key))
        size = len(cbor.encode(value))
        spans.append((key, at, at + size))
        at += size
    return spans


def flipped(row: Row, at: int) -> Row:
    changed = bytearray.fromhex(row["bytes"])
    changed[at] ^= 1
    return row | {"bytes": changed.hex()}


def flip_in(rows: list[Row], index: int, at: int) -> list[Row]:
    """The rows with one byte of one entry changed."""
    return [flipped(row, at) if number == index else row for number, row in enumerate(rows)]


def first(rows: list[Row], kind: EntryType) -> int:
    return next(index for index, row in enumerate(rows) if entry_type(row) == kind)


def names(verdict: Verdict, law: Law, seq: int) -> bool:
    """Whether a finding of ``law`` tells the entry."""
    return any(item.law is law and item.place.seq == seq for item in verdict.findings)


@pytest.mark.parametrize("kind", [EntryType.INTENT, EntryType.SALE, EntryType.HEARTBEAT])
def test_one_byte_of_any_field_changed_breaks_law_5_at_that_entry(
    played: Path, tmp_path: Path, kind: EntryType
) -> None:
    rows = [
        json.loads(line)
        for line in (played / "export" / "entries.jsonl").read_text("utf-8").splitlines()
    ]
    index = first(rows, kind)
    for key, start, end in fields_of(rows[index]):
        town = copied(played, tmp_path / f"{kind}-{key}")
        change = partial(flip_in, index=index, at=end - 1)
        verdict = audited(town, "entries.jsonl", change)

        assert start < end
        assert names(verdict, Law.CHAINED, rows[index]["seq"]), (key, list(verdict.findings))


def test_a_dropped_entry_breaks_law_5(kept: Path) -> None:
    verdict = audited(kept, "entries.jsonl", lambda rows: rows[:3] + rows[4:])

    assert verdict.findings.breaks(Law.CHAINED)


def test_two_swapped_entries_break_law_5(kept: Path) -> None:
    def swap(rows: list[Row]) -> list[Row]:
        one, other = rows[1]["bytes"], rows[2]["bytes"]
        rows[1]["bytes"], rows[2]["bytes"] = other, one
        return rows

    assert audited(kept, "entries.jsonl", swap).findings.breaks(Law.CHAINED)


def test_a_changed_transfer_breaks_law_1(kept: Path) -> None:
    def more(rows: list[Row]) -> list[Row]:
        rows[-1]["amount_cents"] += 1
        return rows

    assert audited(kept, "transfers.jsonl", more).findings.breaks(Law.CONSERVATION)


def test_a_grant_without_its_order_breaks_law_3(kept: Path) -> None:
    verdict = audited(kept, "orders.jsonl", lambda rows: rows[1:])

    assert verdict.findings.breaks(Law.GRANTED)


def test_a_payment_listed_twice_breaks_law_6(kept: Path) -> None:
    verdict = audited(kept, "payments.jsonl", lambda rows: [*rows, rows[0]])

    assert verdict.findings.breaks(Law.ONCE)


def test_a_file_that_its_manifest_does_not_know_is_said_first(kept: Path) -> None:
    path = kept / "export" / "merchants.jsonl"
    path.write_text(path.read_text("utf-8").replace("Rossi", "Russo"), "utf-8")

    assert audit(kept / "export").findings.breaks(Law.EXPORT)


def copied(played: Path, target: Path) -> Path:
    """Only the export: the verifier needs nothing else."""
    shutil.copytree(played / "export", target / "export")
    return target
