"""Damage by whoever keeps the books: every sum holds, and what nobody signs says why."""

from copy import deepcopy
from hashlib import sha256
from itertools import pairwise

from tests.integration.verifier.damage import (
    Books,
    hide,
    ledger_cut,
    recovered,
    rewritten,
    stated_and_gone,
)
from tests.integration.verifier.export_builder import OPERATOR, Row
from tests.integration.verifier.export_files import MANIFEST
from tests.integration.verifier.journal import MORNING, Journal


def hidden_sale(books: Books, *, declared: bool = True, kept: bool = False) -> None:
    """The baker's last sale is said to be another town's: rows are hashes, its money is gone.

    ``kept``: the shop hands in its till's journal.
    """
    hidden = [row for row in books.rows("entries") if row["terminal"] == 501 and row["seq"] > 5]
    if kept:
        books.kept += [{"seq": row["seq"], "bytes": row["bytes"]} for row in hidden]
    for row in hidden:
        books.drop_transfers("entry", f"501:{row['seq']}")
        hide(books, row)
    if not declared:
        del books.files[MANIFEST]


def hidden_and_stated(books: Books) -> None:
    """A sale that was stated and paid is hidden so; the merchant kept the statement alone."""
    journal = [row for row in books.rows("entries") if row["terminal"] == 501 and row["seq"] > 5]
    hidden = deepcopy(journal)
    stated_and_gone(books)
    for row in hidden:
        hide(books, row)
    at = next(i for i, row in enumerate(books.rows("entries")) if row["terminal"] == 502)
    books.rows("entries")[at:at] = hidden


def entry_of_other(books: Books) -> None:
    """The till's own journal has another entry in that place."""
    journal = Journal.enrolled(501, 1, OPERATOR)
    journal.heartbeat()
    books.kept = [{"seq": 1, "bytes": journal.entries[0].complete.hex()}]


def entry_of_nobody(books: Books) -> None:
    books.kept = [{"seq": 1, "bytes": "00"}]


def left_out_and_shown(books: Books) -> None:
    books.files[MANIFEST] = [{"left_out": ["018153"]}]


def to_the_other_shop(books: Books, kind: str, ref: Row) -> None:
    """All that the baker was paid becomes the grocer's, by transfers of ``kind`` that name ``ref``.

    Every sum holds: each account is above zero, each pool is whole, no wallet is touched.
    """
    paid = sum(row["amount_cents"] for row in books.rows("transfers") if row["to"] == "paid/1")
    way = ("paid/1", "payable/1", "suspense", "payable/2", "in_payment/2", "paid/2")
    for source, target in pairwise(way):
        row = deepcopy(books.rows("transfers")[-1])
        row |= {"kind": kind, "from": source, "to": target, "amount_cents": paid, "ref": ref}
        books.rows("transfers").append(row)
    books.renumber()


def decided_for_nobody(books: Books) -> None:
    """The same as a case that people decided; it is about no sale."""
    to_the_other_shop(books, "case_closed", {"kind": "case", "id": "9"})
    books.rows("cases").append(
        {
            "case": 9, "document": None, "entry": None, "amount_cents": 0, "state": "closed",
            "decision": "pay", "decided_by": "Ugo", "decided_at": MORNING,
        }
    )  # fmt: skip


def decided_and_more(books: Books, *, cents: int = 0, entry: str = "999:1") -> None:
    """Two people let a sale in suspense be paid; a batch pays more, or for another entry.

    ``entry``: what the case names beside its document, and the batch pays.
    """
    sale = books.entry(501, 7)
    sale["posting"]["claim"] = "payable"
    rows, last = books.rows("transfers"), books.rows("transfers")[-1]
    held = next(row["amount_cents"] for row in rows if row["ref"]["id"] == "501:7")
    for kind, ref, source, target, amount in (
        ("case_closed", {"kind": "case", "id": "9"}, "suspense", "payable/1", held),
        ("batch", {"kind": "batch", "id": "9"}, "payable/1", "in_payment/1", held + cents),
        ("paid", {"kind": "outcome", "id": "bank-9"}, "in_payment/1", "paid/1", held + cents),
    ):
        moved = {"kind": kind, "from": source, "to": target, "amount_cents": amount, "ref": ref}
        rows.append(deepcopy(last) | moved)
    books.rows("cases").append(
        {
            "case": 9, "document": "501:7", "entry": entry, "amount_cents": 0, "state": "closed",
            "decision": "pay", "decided_by": "Ugo", "approved_by": "Lia", "decided_at": MORNING,
        }
    )  # fmt: skip
    line = {"entry": entry, "amount_cents": held + cents, "state": "included", "replaces": None}
    batch, payment = deepcopy(books.rows("batches")[0]), deepcopy(books.rows("payments")[0])
    books.rows("batches").append(batch | {"batch": 9, "total_cents": held + cents, "lines": [line]})
    books.rows("payments").append(
        payment
        | {"payment": 9, "batch": 9, "end_to_end_id": "E2E9", "amount_cents": held + cents,
           "outcome_ref": "bank-9"}
    )  # fmt: skip
    books.renumber()


def record_of_nothing(books: Books) -> None:
    """The same for a record whose amount nobody knows; only a card session is said to have it."""
    card = books.rows("purses")[0]
    record = bytes([2]) + (77).to_bytes(3, "big") + bytes(50)
    digest = sha256(record).digest()
    books.rows("attestations").append(
        {
            "issuer": card["issuer"], "purse": card["purse"], "ctr": 77, "record": record.hex(),
            "record_hash": digest.hex(), "totals": None, "source": "card_session",
            "source_ref": "9",
        }
    )  # fmt: skip
    name = f"{card['issuer']}:{card['purse']}:77:{digest[:4].hex()}"
    to_the_other_shop(books, "later_proven", {"kind": "record", "id": name})


def cut_and_excused(books: Books) -> None:
    """The last payment never was; an unsigned line says why nobody finds it."""
    ledger_cut(books)
    recovered(books, MORNING)


def rewritten_and_excused(books: Books) -> None:
    """A recovery is declared; but it began after all of this was booked."""
    rewritten(books, "acknowledgement")
    recovered(books, MORNING + 1000)
