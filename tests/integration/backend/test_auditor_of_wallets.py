"""The independent auditor over expired and blocked wallets: clean as booked, not as forged."""

import json
import tempfile
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from backend.domain.cases import Cover, Decision
from backend.services.administration.day_end import DayEnd
from backend.services.cases.office import CaseOffice
from backend.services.export.export import write_export
from backend.services.wallets.lost_cards import CardOffice
from backend.verifier.audit import audit
from cardlib.calendar import day_end
from cardlib.codec.purse import day_number
from tests.integration.backend.books import check_laws
from tests.integration.backend.builders import APPROVER, LOADER, Town

Files = dict[str, list[dict[str, Any]]]
LAST_DAY = date(2026, 9, 30)
DAY = 86_400


@pytest.fixture
def story(town: Town) -> Town:
    """A wallet that expired and was given up, a card that was lost, replaced, and one found."""
    town.valid_to = day_number(LAST_DAY)
    expiring, till = town.chip_with(5_000), town.till()
    town.valid_to, town.day_limit_eur = 0xFFFF, 1
    lost, found, new = town.chip_with(4_000), town.chip_with(3_000), town.new_chip()
    till.sell(expiring, 700)
    town.clock.seconds += DAY
    office = CardOffice(town.work, town.clock)
    office.block(lost.purse, "CARD_STOLEN", by=LOADER)
    office.block(found.purse, "CARD_LOST", by=LOADER)
    town.clock.seconds += DAY
    office.unblock(found.purse, requested_by=LOADER, approved_by=APPROVER)
    orders = office.replace(lost.purse, new.purse, requested_by=LOADER, approved_by=APPROVER)
    town.confirm(town.sign(new, orders[0]))
    town.clock.seconds = day_end(LAST_DAY) + 16 * DAY
    till.heartbeat()
    till.sync()
    assert DayEnd(town.work, town.clock).close_day().given_up_cents == 4_300
    check_laws(town)
    return town


def forged(town: Town, spoil: Callable[[Files], None]) -> set[str]:
    """What the auditor says of an export whose rows were changed and hashed again."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_export(town.work, directory, town.clock.seconds)
        files = {
            path.name: [json.loads(line) for line in path.read_text().splitlines()]
            for path in directory.glob("*.jsonl")
        }
        spoil(files)
        _write(directory, files)
        return {finding.code for finding in audit(directory).findings}


def _write(directory: Path, files: Files) -> None:
    head = bytes(32)
    for row in files["transfers.jsonl"]:
        clear = {key: value for key, value in row.items() if key not in ("prev_hash", "hash")}
        text = json.dumps(clear, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        row["prev_hash"], head = head.hex(), sha256(head + text.encode()).digest()
        row["hash"] = head.hex()
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["ledger_head"]["hash"] = head.hex()
    for name, rows in files.items():
        octets = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        (directory / name).write_bytes(octets)
        manifest["files"][name] = {"sha256": sha256(octets).hexdigest(), "rows": len(rows)}
    (directory / "manifest.json").write_text(json.dumps(manifest))


def transfers(files: Files, kind: str) -> list[dict[str, Any]]:
    return [row for row in files["transfers.jsonl"] if row["kind"] == kind]


def test_the_auditor_finds_nothing_in_honest_books(story: Town) -> None:
    assert forged(story, lambda _files: None) == set()


def test_nothing_expires_before_its_last_day(story: Town) -> None:
    def spoil(files: Files) -> None:
        transfers(files, "expired_pending")[0]["booked_at"] = day_end(LAST_DAY) - 1

    assert forged(story, spoil) == {"EXPIRED_TOO_EARLY"}


def test_an_expiry_of_a_grant_that_nobody_signed(story: Town) -> None:
    def spoil(files: Files) -> None:
        for kind in ("expired_pending", "expired", "expired_released"):
            transfers(files, kind)[0]["ref"]["id"] += "9"

    assert forged(story, spoil) == {"TRANSFER_WITHOUT_DOCUMENT", "WALLET_UNBALANCED"}


def test_another_wallet_is_made_to_expire(story: Town) -> None:
    def spoil(files: Files) -> None:
        theirs = next(
            row["account"] for row in files["accounts.jsonl"]
            if row["kind"] == "on_card" and row["purse"] == files["purses.jsonl"][2]["purse"]
        )  # fmt: skip
        transfers(files, "expired_pending")[0]["from"] = theirs

    assert "EXPIRY_OTHER_WALLET" in forged(story, spoil)


def test_a_block_that_nobody_recorded(story: Town) -> None:
    def spoil(files: Files) -> None:
        for row in files["purses.jsonl"]:
            row["blocks"] = []

    assert forged(story, spoil) == {"TRANSFER_WITHOUT_DOCUMENT", "REPLACEMENT_OTHER_CARD"}


def test_money_comes_out_of_a_block_while_the_card_is_still_lost(story: Town) -> None:
    def spoil(files: Files) -> None:
        for row in files["purses.jsonl"]:
            for block in row["blocks"]:
                block["to"] = None

    assert forged(story, spoil) == {"BLOCK_OTHER_CARD"}


def test_a_replacement_takes_another_familys_money(story: Town) -> None:
    def spoil(files: Files) -> None:
        order = next(row for row in files["orders.jsonl"] if row["source"] == "replacement")
        order["source_ref"] = f"{order['issuer']}:{files['purses.jsonl'][2]['purse']}"

    assert forged(story, spoil) == {"REPLACEMENT_OTHER_CARD"}


@pytest.fixture
def overspent(town: Town) -> Town:
    """A sale that came after its wallet was given up, paid by the fund; one that was refused."""
    town.valid_to = day_number(LAST_DAY)
    chip, other_chip = town.chip_with(5_000), town.chip_with(2_000)
    till, other = town.till(), town.till(town.other_shop)
    seq = till.begin(chip, 700)
    till.debit(chip, seq)
    till.unresolved(seq)
    other.sell(other_chip, 300, tc=False)
    town.clock.seconds = day_end(LAST_DAY) + 16 * DAY
    for each in (till, other):
        each.heartbeat()
        each.sync()
    DayEnd(town.work, town.clock).close_day()
    other.prove(chip, 1)
    other.sync()
    till.commit(chip, seq)
    till.sync()
    office = CaseOffice(town.work, town.clock)
    for case in office.waiting():
        paid = case.code == "SALE_EXPIRED"
        office.close(
            case.number, Decision.PAY if paid else Decision.RELEASE, act="DD 9",
            requested_by=LOADER, approved_by=APPROVER, cover=Cover.FUND if paid else None,
        )  # fmt: skip
    check_laws(town)
    return town


def test_one_person_alone_makes_the_fund_pay(overspent: Town) -> None:
    def spoil(files: Files) -> None:
        for row in files["cases.jsonl"]:
            row["approved_by"] = row["decided_by"]

    assert forged(overspent, spoil) == {"CASE_ONE_PERSON"}


def test_the_fund_pays_more_than_the_wallet_lacked(overspent: Town) -> None:
    def spoil(files: Files) -> None:
        transfers(files, "case_covered")[0]["amount_cents"] += 1

    assert "CASE_COVERS_TOO_MUCH" in forged(overspent, spoil)


def test_the_fund_gets_back_what_no_void_had_given_back(overspent: Town) -> None:
    def spoil(files: Files) -> None:
        cover = transfers(files, "case_covered")[0]
        number = max(row["id"] for row in files["transfers.jsonl"]) + 1
        back = {"id": number, "from": cover["to"], "to": cover["from"]}
        files["transfers.jsonl"].append(cover | back)

    assert "COVER_UNDONE_TOO_MUCH" in forged(overspent, spoil)


def test_a_case_is_paid_to_another_merchant(overspent: Town) -> None:
    def spoil(files: Files) -> None:
        paid = next(t for t in transfers(files, "case_closed") if t["to"].startswith("payable"))
        mine = next(row for row in files["accounts.jsonl"] if row["account"] == paid["to"])
        files["accounts.jsonl"].append({**mine, "account": "other", "merchant": 2})
        paid["to"] = "other"

    assert "BOOKED_OTHERWISE" in forged(overspent, spoil)


def test_what_was_given_back_is_booked_as_paid(overspent: Town) -> None:
    def spoil(files: Files) -> None:
        for row in files["entries.jsonl"]:
            if row["posting"] and row["posting"]["claim"] == "none":
                row["posting"]["claim"] = "payable"

    assert "BOOKED_OTHERWISE" in forged(overspent, spoil)
