"""`borsellino verify DIR`: what people see, and what programs get."""

import json
import shutil
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from backend.verifier.cli import verify
from tests.integration.verifier.export_builder import bound, chain, good, write

APP = Typer()
APP.command()(verify)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, list(arguments))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write(good(), tmp_path / "export")


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    files = good()
    sale = next(row for row in files["transfers.jsonl"] if row["ref"]["kind"] == "entry")
    sale["amount_cents"] += 100
    return write(chain(files), tmp_path / "spoilt")


def test_a_good_export_exits_0_and_says_what_it_trusted(export: Path) -> None:
    result = run(str(export), "--lang", "en")
    assert result.exit_code == 0
    assert "proved" in result.output
    assert "it is symmetric" in result.output
    assert "DISPROVED" not in result.output


def test_a_changed_transfer_exits_1_and_names_law_and_place(spoilt: Path) -> None:
    result = run(str(spoilt), "--lang", "en")
    assert result.exit_code == 1
    assert "law 1  BOOKED_OTHERWISE  entries.jsonl, line" in result.output
    assert "to do: Compare the transfers" in result.output


def test_a_changed_entry_leads_with_law_5_and_not_with_what_follows(tmp_path: Path) -> None:
    files = good()
    entry = next(row for row in files["entries.jsonl"] if row["seq"] == 2)
    entry["bytes"] = entry["bytes"].replace("1904e2", "1904e3", 1)
    result = run(str(write(files, tmp_path)), "--lang", "en")
    findings = [line for line in result.output.splitlines() if line.startswith("law ")][1:]
    assert findings[0] == "law 5  ENTRY_SIGNATURE  entries.jsonl, line 2, terminal 501, seq 2"
    assert "disproved law 5, law 1. What breaks law 1 may follow" in result.output


def test_italian(spoilt: Path) -> None:
    result = run(str(spoilt), "--lang", "it")
    assert "SMENTITA" in result.output
    assert "da fare: Confrontare i movimenti" in result.output


def test_one_json_object(spoilt: Path, export: Path) -> None:
    result = run(str(spoilt), "--json", "--lang", "en")
    told = json.loads(result.output)
    assert result.exit_code == 1
    assert told["ok"] is False
    assert told["laws"]["1"]["status"] == "disproved"
    assert told["laws"]["5"] == {"status": "proved", "findings": 0}
    assert {"law", "code", "file", "line", "terminal", "seq", "means", "do"} <= set(
        told["findings"][0]
    )
    good_news = json.loads(run(str(export), "--json").output)
    assert good_news["ok"] is True
    assert good_news["counts"]["posted_cents"] == 7_650


def test_no_directory_is_a_usage_error(tmp_path: Path) -> None:
    result = run(str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "borsellino backend export" in result.output
    told = json.loads(run(str(tmp_path / "nowhere"), "--json").output)
    assert (told["ok"], told["code"]) == (False, "DIRECTORY_MISSING")


@pytest.mark.parametrize("key", ["zz", "00"])
def test_a_key_that_is_none_is_a_usage_error(export: Path, key: str) -> None:
    assert run(str(export), "--key", key).exit_code == 2


def test_a_directory_with_nothing_of_an_export_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    result = run(str(tmp_path), "--json")
    assert result.exit_code == 2
    assert json.loads(result.output)["code"] == "NOT_AN_EXPORT"


def test_an_export_without_its_manifest_is_damaged(export: Path) -> None:
    (export / "manifest.json").unlink()
    result = run(str(export), "--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert [item["code"] for item in told["findings"]] == ["EXPORT_MANIFEST_MISSING"]
    assert {law["status"] for law in told["laws"].values()} == {"disproved", "open"}


@pytest.mark.parametrize("name", [f"{stem}.jsonl" for stem in ("entries", "transfers", "cases")])
def test_a_missing_file_is_named(export: Path, name: str) -> None:
    (export / name).unlink()
    result = run(str(export), "--json")
    assert result.exit_code == 1
    found = json.loads(result.output)["findings"]
    assert [(item["code"], item["file"]) for item in found] == [("EXPORT_FILE_MISSING", name)]


def test_a_file_cut_short_is_not_the_one_of_the_manifest(export: Path) -> None:
    path = export / "entries.jsonl"
    path.write_bytes(path.read_bytes()[:-300])
    result = run(str(export), "--json")
    codes = {item["code"] for item in json.loads(result.output)["findings"]}
    assert {"EXPORT_FILE_CHANGED", "EXPORT_ROW_BROKEN"} <= codes


def test_a_shop_can_bring_its_own_acknowledgements(export: Path, tmp_path: Path) -> None:
    """The server dropped a shop's last entry and its own acknowledgement of it."""
    kept = tmp_path / "kept.jsonl"
    shutil.copy(export / "acknowledgements.jsonl", kept)
    files = good()
    files["acknowledgements.jsonl"].clear()
    last = max(at for at, row in enumerate(files["entries.jsonl"]) if row["terminal"] == 501)
    del files["entries.jsonl"][last]
    silent = write(files, tmp_path / "silent")
    assert run(str(silent)).exit_code == 0
    result = run(str(silent), "--json", "--evidence", str(kept))
    found = json.loads(result.output)["findings"]
    assert {(item["law"], item["code"]) for item in found} == {(5, "ACKNOWLEDGED_MISSING")}
    assert found[0]["terminal"] == 501


def test_unreadable_evidence_is_a_usage_error(export: Path, tmp_path: Path) -> None:
    assert run(str(export), "--evidence", str(tmp_path / "none")).exit_code == 2


@pytest.mark.parametrize("line", ["{", "[]", '{"merchant": 1.5}', '{"a": 1, "a": 1}', "\\ud800"])
def test_a_row_that_is_no_row_is_named_by_line(export: Path, line: str) -> None:
    path = export / "merchants.jsonl"
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    found = json.loads(run(str(export), "--json").output)["findings"]
    assert ("EXPORT_ROW_BROKEN", 3) in [(item["code"], item["line"]) for item in found]


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, Path]:
    """An export that is bound from outside, and what its baker kept."""
    files, rows = bound()
    path = tmp_path / "kept.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return write(files, tmp_path / "bound"), path


def test_the_report_says_up_to_which_transfer_and_who_signed_it(kept: tuple[Path, Path]) -> None:
    export, evidence = kept
    told = run(str(export), "--evidence", str(evidence), "--lang", "en").output
    assert "The ledger was judged up to transfer 21" in told
    assert "The operator signed the head up to transfer 15 in merchants' statements" in told
    assert "Tills signed the head up to transfer 10 in their day's close" in told
    assert "terminal 501: entry 9" in told
    shown = json.loads(run(str(export), "--evidence", str(evidence), "--json").output)
    assert shown["ledger"]["transfer"] == shown["held"]["acknowledgement"]["transfer"] == 21
    assert {name: head["transfer"] for name, head in shown["held"].items()} == {
        "acknowledgement": 21, "statement": 15, "close": 10,
    }  # fmt: skip


def test_books_that_nobody_else_signed_are_told_so(export: Path) -> None:
    assert "could have written it anew" in run(str(export), "--lang", "en").output


def test_amounts_are_written_as_the_language_does(export: Path) -> None:
    assert "1.000,00" in run(str(export), "--lang", "it").output
    assert "1,000.00" in run(str(export), "--lang", "en").output


@pytest.mark.parametrize("lang", ["it", "en"])
def test_the_report_on_paper_is_a_pdf_and_the_status_stays(
    export: Path, spoilt: Path, tmp_path: Path, lang: str
) -> None:
    good_news, bad_news = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    assert run(str(export), "--pdf", str(good_news), "--lang", lang).exit_code == 0
    assert run(str(spoilt), "--pdf", str(bad_news), "--lang", lang).exit_code == 1
    for path in (good_news, bad_news):
        assert path.read_bytes().startswith(b"%PDF-")
        assert path.read_bytes().rstrip().endswith(b"%%EOF")
    again = tmp_path / "again.pdf"
    run(str(export), "--pdf", str(again), "--lang", lang)
    assert again.read_bytes() == good_news.read_bytes()


def test_a_pdf_that_cannot_be_written_is_a_usage_error(export: Path, tmp_path: Path) -> None:
    result = run(str(export), "--pdf", str(tmp_path / "nowhere" / "report.pdf"), "--json")
    assert result.exit_code == 2
    assert json.loads(result.output)["code"] == "PDF_UNWRITABLE"


def test_what_a_shop_kept_after_the_export_waits_for_the_next_one(
    kept: tuple[Path, Path], tmp_path: Path
) -> None:
    """Neither its entries nor its ledger head can be in an export that is older."""
    export, evidence = kept
    manifest = export / "manifest.json"
    made = json.loads(manifest.read_text())
    files = bound()[0]
    files["acknowledgements.jsonl"].clear()
    older = write(files, tmp_path / "older")
    manifest = older / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {
        "created_at": made["created_at"] - 1
    }))  # fmt: skip
    shown = json.loads(run(str(older), "--json", "--evidence", str(evidence)).output)
    assert (shown["ok"], shown["trusted"]["EVIDENCE_NEWER"]) == (True, 2)
