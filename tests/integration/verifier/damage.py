"""Ways to damage an export, and what a verifier has to say of each."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from backend.verifier.findings import Law
from cardlib.codec.purse import Grant
from cardlib.keys.grants import sign_grant
from cardlib.wire.ed25519 import SigningKey
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.ledger_head import LedgerHead
from cardlib.wire.statement import Statement
from cardlib.wire.upload import Acknowledgement
from tests.integration.verifier.export_builder import ISSUER, OPERATOR, Files, Row, chain
from tests.integration.verifier.export_files import MANIFEST
from tests.integration.verifier.journal import MORNING

THIEF = SigningKey(bytes([9]) * 32)


@dataclass
class Books:
    """An export to be spoilt: its rows, what shops kept, and what is done to the files at last."""

    files: Files
    kept: list[Row]
    at_last: list[Callable[[Path], None]] = field(default_factory=list)

    def rows(self, name: str) -> list[Row]:
        return self.files.setdefault(f"{name}.jsonl", [])

    def entry(self, terminal: int, seq: int) -> Row:
        return next(
            row for row in self.rows("entries") if (row["terminal"], row["seq"]) == (terminal, seq)
        )

    def renumber(self) -> None:
        """Numbers and hashes of the ledger made anew, as a competent liar would."""
        for number, row in enumerate(self.rows("transfers"), start=1):
            row["id"] = number
        chain(self.files)

    def drop_transfers(self, kind: str, document: str) -> None:
        self.files["transfers.jsonl"] = [
            row for row in self.rows("transfers") if row["ref"] != {"kind": kind, "id": document}
        ]
        self.renumber()


Spoil = Callable[[Books], None]


@dataclass(frozen=True)
class Damage:
    """``says`` is the code that must lead; ``law`` the law that it breaks."""

    name: str
    law: Law
    says: str
    spoil: Spoil
    bound: bool = False
    """Whether heads, closes and kept documents are there to notice it."""


def file_cut(name: str) -> Spoil:
    def cut(path: Path) -> None:
        octets = (path / f"{name}.jsonl").read_bytes()
        (path / f"{name}.jsonl").write_bytes(octets[: len(octets) // 2])

    return lambda books: books.at_last.append(cut)


def file_gone(name: str) -> Spoil:
    return lambda books: books.at_last.append(lambda path: (path / f"{name}.jsonl").unlink())


def row_gone(name: str, at: int) -> Spoil:
    def gone(books: Books) -> None:
        del books.rows(name)[at]
        chain(books.files)

    return gone


def row_twice(name: str, at: int) -> Spoil:
    def twice(books: Books) -> None:
        books.rows(name).insert(at, deepcopy(books.rows(name)[at]))
        chain(books.files)

    return twice


def rows_swapped(name: str, first: int, second: int) -> Spoil:
    def swapped(books: Books) -> None:
        rows = books.rows(name)
        rows[first], rows[second] = rows[second], rows[first]

    return swapped


def changed(name: str, at: int, field_: str, value: Any) -> Spoil:
    """One value, with every hash that anybody can make made anew; a function changes it."""

    def change(books: Books) -> None:
        row = books.rows(name)[at]
        row[field_] = value(row[field_]) if callable(value) else value
        chain(books.files)

    return change


def entry_bytes(terminal: int, seq: int, at: int) -> Spoil:
    def flip(books: Books) -> None:
        row = books.entry(terminal, seq)
        octets = bytearray.fromhex(row["bytes"])
        octets[at] ^= 1
        row["bytes"] = octets.hex()

    return flip


def posting(terminal: int, seq: int, **values: Any) -> Spoil:
    return lambda books: books.entry(terminal, seq)["posting"].update(values)


def manifest_head(books: Books) -> None:
    """The manifest names another head than the file's."""

    def rewrite(path: Path) -> None:
        file = path / "manifest.json"
        head = books.rows("transfers")[-1]["hash"]
        file.write_text(file.read_text().replace(head, "00" * 32))

    books.at_last.append(rewrite)


def signed_by(books: Books, at: int, key: SigningKey, **changes: int) -> None:
    """A grant row whose grant has other fields, signed by ``key``."""
    row = books.rows("grants")[at]
    fields = {name: getattr(Grant.decode(bytes.fromhex(row["grant"])), name)
              for name in Grant.__dataclass_fields__}  # fmt: skip
    signed = sign_grant(key, bytes.fromhex(row["info_core"]), Grant(**(fields | changes)))
    row["grant"], row["signature"] = bytes(signed.grant).hex(), signed.signature.hex()


def grant_forged(books: Books) -> None:
    signed_by(books, 1, THIEF, granted_total=90_000)


def grant_raised(books: Books) -> None:
    """The issuer's key itself, misused."""
    signed_by(books, 1, ISSUER, granted_total=9_000)


def grant_of_unknown_key(books: Books) -> None:
    signed_by(books, 1, THIEF, issuer_key=7)


def grant_seq_twice(books: Books) -> None:
    rows = books.rows("grants")
    rows.append(deepcopy(rows[0]))
    signed_by(books, len(rows) - 1, ISSUER, granted_total=11_000)


def grant_without_order(books: Books) -> None:
    books.rows("grants")[1]["order"] = 99


def grant_unlisted(books: Books) -> None:
    """A till saw it; the town lists neither grant nor order, and books nothing for it."""
    books.files["grants.jsonl"] = [row for row in books.rows("grants") if row["order"] != 1]


def budget_exceeded(books: Books) -> None:
    for row in books.rows("awards"):
        if row["award"] == 2:
            row["amount_cents"] = 7_000
    books.rows("transfers")[2]["amount_cents"] = 7_000
    chain(books.files)


def one_person(name: str) -> Spoil:
    return changed(name, 0, "requested_by", "ANNA ")


def payment_replayed(books: Books) -> None:
    """The same batch is paid a second time, with money moved for it."""
    payment = deepcopy(books.rows("payments")[0])
    payment |= {"payment": 9, "end_to_end_id": "E2E9", "outcome_ref": "bank-9"}
    books.rows("payments").append(payment)
    moved = deepcopy(books.rows("transfers")[16])
    moved["ref"] = {"kind": "outcome", "id": "bank-9"}
    books.rows("transfers").append(moved)
    books.renumber()


def line_paid_twice(books: Books) -> None:
    """A line stands in a second batch that is paid, too."""
    batch = books.rows("batches")[2]
    line = books.rows("batches")[0]["lines"][0]
    batch["lines"].append(deepcopy(line))


def acknowledgements_swapped(books: Books) -> None:
    rows = books.rows("acknowledgements")
    rows[0]["bytes"], rows[1]["bytes"] = rows[1]["bytes"], rows[0]["bytes"]


def sale_removed(books: Books) -> None:
    """A shop's newest sale is gone from journal, acknowledgement, ledger: all consistent."""
    journal = [row for row in books.rows("entries") if row["terminal"] == 501]
    cut = {row["seq"] for row in journal if row["seq"] > 5}
    books.files["entries.jsonl"] = [
        row for row in books.rows("entries") if row["terminal"] != 501 or row["seq"] not in cut
    ]
    del books.rows("acknowledgements")[0]
    for document in ("501:6", "501:8"):
        books.drop_transfers("entry", document)
    _unpay(books)


def _unpay(books: Books) -> None:
    """The first batch pays 30 euro less."""
    batch, payment = books.rows("batches")[0], books.rows("payments")[0]
    batch["lines"] = batch["lines"][:1]
    batch["total_cents"] = payment["amount_cents"] = 1_250
    for row in books.rows("transfers"):
        if row["ref"] in ({"kind": "batch", "id": "1"}, {"kind": "outcome", "id": "bank-1"}):
            row["amount_cents"] = 1_250
    books.renumber()


def rewritten(books: Books, kept: str) -> None:
    """The ledger tells the funding anew from its first transfer, consistently.

    ``kept``: the one kind of signed document that was not destroyed with it.
    """
    books.rows("fundings")[0]["amount_cents"] += 500
    books.rows("transfers")[0]["amount_cents"] += 500
    books.renumber()
    books.kept = [row for row in books.kept if ("merchant" in row) == (kept == "statement")]
    if kept != "acknowledgement":
        books.files["acknowledgements.jsonl"] = []
        if kept == "close":
            books.kept = []
    if kept != "close":
        _without_closes(books)


def _without_closes(books: Books) -> None:
    """The till whose close names a head never was."""
    for row in books.rows("entries"):
        if row["terminal"] == 501 and row["seq"] == 4:
            hide(books, row)


def hide(books: Books, row: Row) -> None:
    """The entry becomes a hash, as if it were of another town of the same operator."""
    row["hash"] = row.get("hash") or _hash_of(row["bytes"])
    row["bytes"] = row["posting"] = None
    books.files[MANIFEST] = [{"left_out": ["037006"]}]


def _hash_of(text: str) -> str:
    return sha256(bytes.fromhex(text)).hexdigest()


def expiry_forged(books: Books, document: str = "018153:" + "b2" * 8 + ":1") -> None:
    """Somebody lets a wallet expire while its grant still holds, and gives it to the fund."""
    ref = {"kind": "expiry", "id": document}
    for kind, way in (
        ("expired_pending", ("on_card/" + "b2" * 8, "expired_pending")),
        ("expired", ("expired_pending", "expired")),
        ("expired_released", ("expired", "fund")),
    ):
        row = deepcopy(books.rows("transfers")[-1])
        row |= {"kind": kind, "from": way[0], "to": way[1], "amount_cents": 100, "ref": ref}
        books.rows("transfers").append(row)
    plain = next(row for row in books.rows("accounts") if row["account"] == "fund")
    wallet = next(row for row in books.rows("accounts") if row["account"] == "on_card/" + "b2" * 8)
    books.rows("accounts").append(
        wallet | {"account": "expired_pending", "kind": "expired_pending"}
    )
    books.rows("accounts").append(plain | {"account": "expired", "kind": "expired"})
    books.renumber()


def expiry_of_nothing(books: Books) -> None:
    expiry_forged(books, "018153:" + "b2" * 8 + ":77")


def ledger_cut(books: Books) -> None:
    """The last payment never was; shop and bank know better."""
    del books.rows("payments")[2]
    books.rows("batches")[2]["state"] = "created"
    books.drop_transfers("outcome", "bank-3")


def recovered(books: Books, begun_at: int) -> None:
    """The operator declares that an older copy was put back."""

    def declare(path: Path) -> None:
        file = path / "manifest.json"
        manifest = json.loads(file.read_text()) | {"recoveries": [{"begun_at": begun_at}]}
        file.write_text(json.dumps(manifest))

    books.at_last.append(declare)


def false_head(books: Books) -> None:
    """An acknowledgement in the export that names a ledger that never was."""
    last = next(row for row in reversed(books.rows("entries")) if row["terminal"] == 501)
    answer = Acknowledgement(
        terminal=TerminalNumber(501), high_seq=Seq(last["seq"]),
        high_hash=bytes.fromhex(_hash_of(last["bytes"])), server_time=MORNING, nonce=2,
        bundle_version=1, verdicts=(), ledger=LedgerHead(99, bytes(32)),
    )  # fmt: skip
    books.rows("acknowledgements").append({"terminal": 501, "bytes": answer.sign(OPERATOR).hex()})


def statement_forged(books: Books) -> None:
    row = next(row for row in books.kept if "merchant" in row)
    row["bytes"] = row["bytes"][:-2] + ("00" if row["bytes"][-2:] != "00" else "01")


def statement_of_other(books: Books) -> None:
    next(row for row in books.kept if "merchant" in row)["merchant"] = 2


def stated_amount(books: Books) -> None:
    """The operator once stated the second sale at one euro more than it is booked now."""
    books.kept = [row for row in books.kept if "merchant" in row]
    stated = Statement.open(bytes.fromhex(books.kept[0]["bytes"]), OPERATOR.public)
    first, second = stated.lines
    lines = (first, replace(second, cents=second.cents + 100))
    books.kept[0]["bytes"] = replace(stated, lines=lines).sign(OPERATOR).hex()


def stated_and_gone(books: Books) -> None:
    """As above, all consistent; but here the merchant kept nothing but the statement."""
    sale_removed(books)
    books.kept = [row for row in books.kept if "merchant" in row]


def received_other_day(books: Books) -> None:
    """An entry is said to have come a day later than the signed tree of that day has it."""
    books.entry(502, 1)["received_at"] += 86_400
