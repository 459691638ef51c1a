"""No change passes silently: a competent liar changes one thing, and makes all hashes fit.

Manifest and ledger hashes are made anew after each change, so that only signatures,
chains and recomputation are left to notice it.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.verifier.audit import audit
from tests.integration.verifier.export_builder import chain, good, write

Step = str | int

OUTSIDE_PROOF = {
    "merchants.jsonl": {"name", "iban"},
    "fundings.jsonl": {"act", "booked_by", "booked_at"},
    "awards.jsonl": {"act", "requested_by", "approved_by", "approved_at"},
    "orders.jsonl": {"requested_by", "approved_by", "approved_at", "state", "source_ref"},
    "grants.jsonl": {"confirmed_by"},
    "attestations.jsonl": {"source_ref", "index", "random", "tc"},
    "entries.jsonl": {"reason", "received_at"},
    "batches.jsonl": {"period_from", "period_to", "state", "replaces", "created_by", "by", "at"},
    "payments.jsonl": {"payment", "end_to_end_id"},
    "transfers.jsonl": {"kind", "event_time", "booked_at", "prev_hash", "hash"},
}
"""What no document vouches for: names, dates, references. docs/export-format.md lists them.

The transfers' hashes are here because they are made anew.
"""


def leaves(value: Any, path: tuple[Step, ...] = ()) -> list[tuple[Step, ...]]:
    """Paths of all values that are not None, list or object."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [leaf for at, item in enumerate(value) for leaf in leaves(item, (*path, at))]
    return [] if value is None else [path]


def judged() -> list[tuple[str, int, tuple[Step, ...]]]:
    """File, row and path of every value that a verifier can judge."""
    return [
        (name, at, path)
        for name, rows in good().items()
        for at, row in enumerate(rows)
        for path in leaves(row)
        if path[-1] not in OUTSIDE_PROOF.get(name, set())
    ]


def is_hex(text: str) -> bool:
    return len(text) >= 12 and all(digit in "0123456789abcdef" for digit in text)


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, int, tuple[Step, ...], Any]:
    """One value of the good export, and another one for it."""
    name, at, path = draw(st.sampled_from(judged()))
    value: Any = good()[name][at]
    for step in path:
        value = value[step]
    if isinstance(value, bool):
        return name, at, path, not value
    if isinstance(value, int):
        return name, at, path, value + draw(st.integers(-5_000, 5_000).filter(bool))
    if is_hex(value):
        bit = draw(st.integers(0, 4 * len(value) - 1))
        return name, at, path, f"{int(value, 16) ^ 1 << bit:0{len(value)}x}"
    return name, at, path, value + draw(st.sampled_from("x0 "))


@given(change=changes())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_changed_value_never_tells_another_story(
    change: tuple[str, int, tuple[Step, ...], Any], tmp_path: Path
) -> None:
    name, at, path, value = change
    files = good()
    target: Any = files[name][at]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert not audit(write(chain(files), tmp_path)).holds


REPEATABLE = {"attestations.jsonl", "acknowledgements.jsonl"}
"""Files that only add evidence: a row less proves less, a row twice proves no more."""


@pytest.mark.parametrize("name", sorted(set(good()) - REPEATABLE))
def test_a_row_less_or_a_row_twice_is_never_accepted(name: str, tmp_path: Path) -> None:
    for at in range(len(good()[name])):
        without, twice = good(), good()
        del without[name][at]
        twice[name].insert(at, deepcopy(twice[name][at]))
        for files in (without, twice):
            for number, row in enumerate(files["transfers.jsonl"], start=1):
                row["id"] = number
            assert not audit(write(chain(files), tmp_path)).holds, (name, at)


@given(noise=st.binary(min_size=1, max_size=40), name=st.sampled_from(sorted(good())))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_noise_in_a_file_is_reported_and_never_raises(
    noise: bytes, name: str, tmp_path: Path
) -> None:
    path = write(good(), tmp_path) / name
    octets = path.read_bytes()
    path.write_bytes(octets[: len(octets) // 2] + noise + octets[len(octets) // 2 :])
    assert not audit(tmp_path).holds
