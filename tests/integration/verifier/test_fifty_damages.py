"""More than fifty kinds of damage to an export, each one named rightly, the cause first."""

import json
from functools import partial
from pathlib import Path

import pytest

from backend.verifier.audit import audit
from backend.verifier.findings import Law
from tests.integration.verifier import damage, insiders
from tests.integration.verifier.damage import (
    Books,
    Damage,
    changed,
    entry_bytes,
    file_cut,
    file_gone,
    posting,
    row_gone,
    row_twice,
    rows_swapped,
)
from tests.integration.verifier.export_builder import bound, good, write
from tests.integration.verifier.journal import MORNING

FILES, SUMS, GRANTS, CHAIN, ONCE = (
    Law.EXPORT, Law.CONSERVATION, Law.GRANTED, Law.CHAINED, Law.ONCE,
)  # fmt: skip

DAMAGES = [
    # the files
    Damage("a file is gone", FILES, "EXPORT_FILE_MISSING", file_gone("orders")),
    Damage("entries cut short", FILES, "EXPORT_FILE_CHANGED", file_cut("entries")),
    Damage("transfers cut short", FILES, "EXPORT_FILE_CHANGED", file_cut("transfers")),
    Damage("grants cut short", FILES, "EXPORT_FILE_CHANGED", file_cut("grants")),
    Damage("a merchant is gone", FILES, "MERCHANT_UNKNOWN", row_gone("merchants", 0)),
    Damage("the manifest's head", SUMS, "LEDGER_HEAD_OTHER", damage.manifest_head),
    # rows that are missing, doubled, out of order
    Damage("the operator is gone", CHAIN, "CERTIFICATE_BAD", row_gone("operator", 0)),
    Damage("the issuer is gone", GRANTS, "GRANT_KEY_UNKNOWN", row_gone("issuers", 0)),
    Damage("a till is gone", CHAIN, "ENTRY_TERMINAL_UNKNOWN", row_gone("terminals", 0)),
    Damage("a purse is gone", GRANTS, "GRANT_PURSE_UNKNOWN", row_gone("purses", 0)),
    Damage("an entry is gone", CHAIN, "ENTRY_MISSING", row_gone("entries", 3)),
    Damage("an entry twice", ONCE, "ENTRY_REPEATED", row_twice("entries", 3)),
    Damage("two entries swapped", CHAIN, "ENTRY_MISSING", rows_swapped("entries", 3, 4)),
    Damage("a grant is gone", GRANTS, "GRANT_UNLISTED", damage.grant_unlisted),
    Damage("a grant twice", ONCE, "NUMBER_TWICE", row_twice("grants", 0)),
    Damage("an order is gone", GRANTS, "GRANT_WITHOUT_ORDER", row_gone("orders", 0)),
    Damage("an order twice", ONCE, "NUMBER_TWICE", row_twice("orders", 0)),
    Damage("an award is gone", GRANTS, "ORDER_WITHOUT_AWARD", row_gone("awards", 0)),
    Damage("a funding is gone", SUMS, "TRANSFER_WITHOUT_DOCUMENT", row_gone("fundings", 0)),
    Damage("a transfer is gone", SUMS, "TRANSFER_MISSING", row_gone("transfers", 9)),
    Damage("a transfer twice", SUMS, "TRANSFER_MISSING", row_twice("transfers", 9)),
    Damage("two transfers swapped", SUMS, "TRANSFER_MISSING", rows_swapped("transfers", 3, 4)),
    Damage("an account is gone", SUMS, "TRANSFER_ACCOUNT_UNKNOWN", row_gone("accounts", 3)),
    Damage("a batch is gone", SUMS, "PAYMENT_WITHOUT_BATCH", row_gone("batches", 0)),
    Damage("a batch twice", ONCE, "NUMBER_TWICE", row_twice("batches", 0)),
    Damage("a payment is gone", SUMS, "BATCH_STATE_OTHER", row_gone("payments", 2)),
    Damage("a payment twice", ONCE, "NUMBER_TWICE", row_twice("payments", 0)),
    # entries
    Damage("a digit of a sale", CHAIN, "ENTRY_SIGNATURE", entry_bytes(501, 2, 200)),
    Damage("a byte of the form", CHAIN, "ENTRY_FORM", entry_bytes(501, 2, 5)),
    Damage("a sale as another's", CHAIN, "ENTRY_MISPLACED", changed(
        "entries", 2, "bytes", lambda _: good()["entries.jsonl"][5]["bytes"])),
    Damage("a sale set aside", CHAIN, "ACKNOWLEDGED_MISSING", changed(
        "entries", 2, "verdict", "quarantined")),
    Damage("a sale without verdict", SUMS, "POSTING_MISSING", changed(
        "entries", 2, "posting", None)),
    Damage("acknowledgements swapped", CHAIN, "ACKNOWLEDGEMENT_BAD",
           damage.acknowledgements_swapped),
    Damage("a key of small order", CHAIN, "CERTIFICATE_BAD", changed(
        "terminals", 0, "public_key", "01" + "00" * 31)),
    # grants, orders, awards
    Damage("a forged grant", GRANTS, "GRANT_SIGNATURE", damage.grant_forged),
    Damage("a grant of an unknown key", GRANTS, "GRANT_KEY_UNKNOWN", damage.grant_of_unknown_key),
    Damage("a grant above its order", GRANTS, "GRANT_AMOUNT", damage.grant_raised),
    Damage("one number, two grants", GRANTS, "GRANT_SEQ_TWICE", damage.grant_seq_twice),
    Damage("a grant of no order", GRANTS, "GRANT_WITHOUT_ORDER", damage.grant_without_order),
    Damage("an order nobody approved", GRANTS, "ORDER_NOT_APPROVED", changed(
        "orders", 0, "approved_by", None)),
    Damage("one person orders alone", GRANTS, "ORDER_ONE_PERSON", damage.one_person("orders")),
    Damage("one person awards alone", GRANTS, "AWARD_ONE_PERSON", damage.one_person("awards")),
    Damage("orders that nobody asked for", GRANTS, "ORDER_ONE_PERSON", changed(
        "orders", 0, "requested_by", None)),
    Damage("awards that nobody asked for", GRANTS, "AWARD_ONE_PERSON", changed(
        "awards", 0, "requested_by", None)),
    Damage("an award without act", GRANTS, "AWARD_WITHOUT_ACT", changed("awards", 0, "act", " ")),
    Damage("a budget exceeded", GRANTS, "AWARD_EXCEEDED", damage.budget_exceeded),
    Damage("a grant for another purse", GRANTS, "GRANT_OTHER_PURSE", changed(
        "grants", 1, "purse", "a1" * 8)),
    Damage("an order that forgot its load", GRANTS, "ORDER_STATE_OTHER", changed(
        "orders", 0, "state", "approved")),
    # money
    Damage("an amount changed", SUMS, "BOOKED_OTHERWISE", changed(
        "transfers", 7, "amount_cents", 1_350)),
    Damage("an amount, hashes left", SUMS, "TRANSFER_CHANGED", lambda books: books.rows(
        "transfers")[7].update(amount_cents=1_350)),
    Damage("money to another shop", SUMS, "BOOKED_OTHERWISE", changed(
        "transfers", 7, "to", "payable/2")),
    Damage("money nowhere", SUMS, "TRANSFER_ROUTE", changed("transfers", 7, "to", "paid/1")),
    Damage("money of nobody's document", SUMS, "BOOKED_OTHERWISE", changed(
        "transfers", 7, "ref", {"kind": "entry", "id": "501:99"})),
    Damage("a word that nobody knows", SUMS, "TRANSFER_KIND_UNKNOWN", changed(
        "transfers", 7, "kind", "adjustment")),
    Damage("paid to another by a session", SUMS, "TRANSFER_KIND_UNKNOWN", partial(
        insiders.to_the_other_shop, kind="adjustment", ref={"kind": "session", "id": "7"})),
    Damage("a session, with a word that is known", SUMS, "TRANSFER_OTHER_KIND", partial(
        insiders.to_the_other_shop, kind="paid", ref={"kind": "session", "id": "7"})),
    Damage("decided for no sale at all", SUMS, "CASE_WITHOUT_DOCUMENT",
           insiders.decided_for_nobody),
    Damage("decided for one sale, paid for another", SUMS, "LINE_WITHOUT_CLAIM",
           insiders.decided_and_more),
    Damage("decided, and more is paid", SUMS, "LINE_WITHOUT_CLAIM",
           partial(insiders.decided_and_more, cents=50_000)),
    Damage("paid to another by a record of nothing", SUMS, "BOOKED_OTHERWISE",
           insiders.record_of_nothing),
    Damage("a sale called unproven", SUMS, "CLAIM_NOT_OF_STATE", posting(
        501, 3, state="unproven")),
    Damage("a sale taken off the chain", SUMS, "SALE_NOT_POSTED", posting(501, 3, live=False)),
    Damage("proven without a proof", SUMS, "PROVEN_WITHOUT_PROOF", posting(
        501, 7, state="proven", claim="payable")),
    Damage("a total changed", SUMS, "TOTAL_WRONG", changed(
        "batches", 0, "total_cents", lambda cents: cents + 1)),
    Damage("a batch that nobody drew up", SUMS, "BATCH_ONE_PERSON", changed(
        "batches", 0, "created_by", None)),
    Damage("a batch that nobody approved", SUMS, "BATCH_APPROVALS_MISSING", changed(
        "batches", 0, "approvals", None)),
    Damage("a batch that a blank approved", SUMS, "BATCH_APPROVALS_MISSING", changed(
        "batches", 0, "approvals", [{"by": " "}])),
    Damage("a line paid twice", ONCE, "SETTLED_TWICE", damage.line_paid_twice),
    Damage("a payment replayed", ONCE, "PAID_TWICE", damage.payment_replayed),
    Damage("an outcome for two payments", ONCE, "NUMBER_TWICE", changed(
        "payments", 1, "outcome_ref", "bank-1")),
    Damage("a batch that is paid and says otherwise", SUMS, "BATCH_STATE_OTHER", changed(
        "batches", 0, "state", "approved")),
    Damage("a sale booked for another hour", SUMS, "TRANSFER_OTHER_TIME", changed(
        "transfers", 7, "event_time", lambda time: time + 3600)),
    Damage("a load that calls itself a payment", SUMS, "TRANSFER_OTHER_KIND", changed(
        "transfers", 3, "kind", "paid")),
    Damage("a sale paid before it was made", SUMS, "LINE_AFTER_PERIOD", changed(
        "batches", 0, "period_to", MORNING + 2)),
    Damage("a batch booked too early", SUMS, "BATCH_BEFORE_END", changed(
        "batches", 0, "period_to", MORNING + 900)),
    Damage("a forged expiry", SUMS, "EXPIRED_TOO_EARLY", damage.expiry_forged),
    Damage("an expiry of nobody's grant", SUMS, "TRANSFER_WITHOUT_DOCUMENT",
           damage.expiry_of_nothing),
    Damage("an order of another programme", GRANTS, "ORDER_OTHER_PROGRAMME", changed(
        "orders", 0, "programme", 13)),
    Damage("a card's record with other totals", SUMS, "ATTESTED_TOTALS_OTHER", changed(
        "attestations", 2, "totals", [9, 0, 0, 0, 0, 0])),
    # what shops and signed documents know
    Damage("sales removed everywhere", CHAIN, "ACKNOWLEDGED_MISSING", damage.sale_removed,
           bound=True),
    Damage("a sale hidden behind its hash", CHAIN, "ENTRY_NOT_SHOWN",
           partial(insiders.hidden_sale, declared=False)),
    Damage("hidden as another town's, the till's journal knows", CHAIN, "ENTRY_WITHHELD",
           partial(insiders.hidden_sale, kept=True)),
    Damage("hidden as another town's, a statement knows", CHAIN, "STATED_NOT_SHOWN",
           insiders.hidden_and_stated, bound=True),
    Damage("a town left out and shown", FILES, "LEFT_OUT_IS_SHOWN", insiders.left_out_and_shown),
    Damage("another entry than the till has", CHAIN, "KEPT_ENTRY_OTHER", insiders.entry_of_other),
    Damage("handed in, signed by nobody", CHAIN, "KEPT_ENTRY_BAD", insiders.entry_of_nobody),
    Damage("rewritten, a till's close knows", SUMS, "CLOSE_HEAD_OTHER",
           partial(damage.rewritten, kept="close"), bound=True),
    Damage("rewritten, an acknowledgement knows", SUMS, "LEDGER_REWRITTEN",
           partial(damage.rewritten, kept="acknowledgement"), bound=True),
    Damage("rewritten, a statement knows", SUMS, "LEDGER_REWRITTEN",
           partial(damage.rewritten, kept="statement"), bound=True),
    Damage("rewritten and excused", SUMS, "LEDGER_REWRITTEN", insiders.rewritten_and_excused,
           bound=True),
    Damage("the end of the ledger cut", SUMS, "LEDGER_REWRITTEN", damage.ledger_cut, bound=True),
    Damage("the end cut, and a recovery to excuse it", SUMS, "LEDGER_REWRITTEN",
           insiders.cut_and_excused, bound=True),
    Damage("a head that never was", SUMS, "LEDGER_REWRITTEN", damage.false_head),
    Damage("a sale missing that was stated", CHAIN, "STATED_MISSING", damage.stated_and_gone,
           bound=True),
    Damage("a forged statement", CHAIN, "STATEMENT_BAD", damage.statement_forged, bound=True),
    Damage("another's statement", CHAIN, "STATEMENT_BAD", damage.statement_of_other, bound=True),
    Damage("a statement that disagrees", SUMS, "STATED_OTHERWISE", damage.stated_amount,
           bound=True),
    Damage("received on another day", CHAIN, "STATED_DAY_OTHER", damage.received_other_day,
           bound=True),
]  # fmt: skip


def test_there_are_fifty_and_none_twice() -> None:
    assert len({item.name for item in DAMAGES}) == len(DAMAGES) >= 50


def test_the_books_are_in_order_before_they_are_damaged(tmp_path: Path) -> None:
    files, kept = bound()
    assert audit(write(files, tmp_path / "export"), evidence=(keep(kept, tmp_path),)).holds


def keep(rows: list[dict[str, object]], folder: Path) -> Path:
    """What a shop hands in."""
    path = folder / "kept.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("item", DAMAGES, ids=lambda item: item.name)
def test_a_damage_is_named_by_its_cause(item: Damage, tmp_path: Path) -> None:
    files, kept = bound() if item.bound else (good(), [])
    books = Books(files, kept)
    item.spoil(books)
    export = write(books.files, tmp_path / "export")
    for last in books.at_last:
        last(export)
    found = audit(export, evidence=(keep(books.kept, tmp_path),) if books.kept else ())
    assert [(leading.law, leading.code) for leading in found.findings][:1] == [
        (item.law, item.says)
    ]
