"""The normative pages say what the verifier does: worked vector, layout tables, fields."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from backend.verifier.decoder import entries
from backend.verifier.export import schema

ROOT = Path(__file__).parents[3]
ENTRY_PAGE = (ROOT / "docs" / "entry-format.md").read_text("utf-8")
EXPORT_PAGE = (ROOT / "docs" / "export-format.md").read_text("utf-8")
VECTORS = json.loads((ROOT / "tests" / "vectors" / "entry-vectors.json").read_text())


def walked(heading: str) -> bytes:
    """The bytes column of the first table after ``heading``."""
    rows = re.findall(
        r"^\| (\d+) \| `([0-9a-f ]+)` \|",
        ENTRY_PAGE.split(heading)[1].split("\n\n")[1],
        re.MULTILINE,
    )
    octets = b""
    for offset, text in rows:
        if rows[0][0] == "0":
            assert int(offset) == len(octets)
        octets += bytes.fromhex(text)
    return octets


def test_the_worked_vector_is_the_vector() -> None:
    heartbeat = walked("The heartbeat of the vectors")
    assert heartbeat.hex() == VECTORS["entries"][2]["cose"]
    assert f"{len(heartbeat)} bytes" in ENTRY_PAGE
    assert sha256(heartbeat).hexdigest() in ENTRY_PAGE


def test_the_worked_sale_is_in_the_vector() -> None:
    assert walked("The sale before it").hex() in VECTORS["entries"][1]["cose"]


def test_what_the_page_says_of_the_record_before() -> None:
    intent = entries.intent_of(entries.read(bytes.fromhex(VECTORS["entries"][0]["cose"])))
    assert entries.digest(intent.prior)[:4].hex() == "c7574379"
    assert intent.totals[0] - intent.by_slot[1] == 2_000


def test_every_field_of_every_type_is_on_the_page() -> None:
    layouts = [entries.HEADER, *entries.BODIES.values(), *entries.OPTIONAL.values()]
    told = set()
    for keys in re.findall(r"^\| ([0-9, ]+) \| [^|]+ \| [^|]+ \|$", ENTRY_PAGE, re.MULTILINE):
        told |= {int(key) for key in keys.split(",")}
    assert {key for layout in layouts for key in layout} <= told


@pytest.mark.parametrize("name", schema.FILES)
def test_every_file_of_an_export_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in EXPORT_PAGE or f"### {name}" in EXPORT_PAGE


def test_every_field_of_an_export_is_on_the_page() -> None:
    source = Path(schema.__file__).read_text("utf-8")
    fields = set(re.findall(r'"([a-z_]+)":', source))
    assert {field for field in fields if not re.search(rf'["`]{field}["`]', EXPORT_PAGE)} == set()
