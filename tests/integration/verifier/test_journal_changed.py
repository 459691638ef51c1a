"""Law 5: whatever is done to a journal after it was signed is found, law and place."""

from hashlib import sha256

import pytest

from backend.verifier.findings import Law
from cardlib.wire import cbor, sign1
from cardlib.wire.ed25519 import SigningKey
from tests.integration.verifier.conftest import Audited
from tests.integration.verifier.damage import Books
from tests.integration.verifier.export_builder import Files, good
from tests.integration.verifier.export_files import MANIFEST
from tests.integration.verifier.insiders import hidden_sale

BAKER = 501


def row_of(files: Files, terminal: int, seq: int) -> int:
    """Index in entries.jsonl."""
    rows = files["entries.jsonl"]
    return next(i for i, r in enumerate(rows) if (r["terminal"], r["seq"]) == (terminal, seq))


def fields_of(entry: bytes) -> dict[int, tuple[int, int]]:
    """Where each field of an entry's payload lies: start and end of its value."""
    message = sign1.parse(entry)
    payload = cbor.decode(message.payload)
    assert isinstance(payload, dict)
    at = entry.index(message.payload) + len(cbor.head(5, len(payload)))
    places = {}
    for key, value in payload.items():
        start = at + len(cbor.encode(key))
        at = start + len(cbor.encode(value))
        places[key] = (start, at)
    return places


def flipped(entry: str, at: int) -> str:
    octets = bytearray.fromhex(entry)
    octets[at] ^= 1
    return octets.hex()


def every_field() -> list[tuple[int, int]]:
    """Entry number and key, for every field of every entry of the baker."""
    rows = [row for row in good()["entries.jsonl"] if row["terminal"] == BAKER]
    return [(row["seq"], key) for row in rows for key in fields_of(bytes.fromhex(row["bytes"]))]


def test_a_good_export_passes(audited: Audited) -> None:
    verdict = audited(good())
    assert list(verdict.findings) == []
    assert {verdict.status(law) for law in Law} == {"proved"}


@pytest.mark.parametrize(("seq", "key"), every_field())
def test_one_byte_of_one_field_flipped_names_law_5_and_the_entry(
    audited: Audited, seq: int, key: int
) -> None:
    files = good()
    index = row_of(files, BAKER, seq)
    entry = files["entries.jsonl"][index]
    _, end = fields_of(bytes.fromhex(entry["bytes"]))[key]
    entry["bytes"] = flipped(entry["bytes"], end - 1)
    first = next(item for item in audited(files).findings if item.law is Law.CHAINED)
    assert first.code in ("ENTRY_SIGNATURE", "ENTRY_FORM")
    assert (first.place.terminal, first.place.seq) == (BAKER, seq)
    assert (first.place.file, first.place.line) == ("entries.jsonl", index + 1)


@pytest.mark.parametrize("at", range(20))
def test_a_byte_of_the_envelope_flipped_names_law_5(audited: Audited, at: int) -> None:
    files = good()
    entry = files["entries.jsonl"][row_of(files, BAKER, 2)]
    entry["bytes"] = flipped(entry["bytes"], at)
    assert audited(files).findings.breaks(Law.CHAINED)


@pytest.mark.parametrize("at", [-64, -33, -32, -1])
def test_a_byte_of_the_signature_flipped_names_law_5(audited: Audited, at: int) -> None:
    files = good()
    entry = files["entries.jsonl"][row_of(files, BAKER, 2)]
    entry["bytes"] = flipped(entry["bytes"], at)
    verdict = audited(files)
    assert "ENTRY_SIGNATURE" in {item.code for item in verdict.findings}


@pytest.mark.parametrize("seq", range(1, 9))
def test_a_dropped_entry_is_missed(audited: Audited, seq: int) -> None:
    files = good()
    del files["entries.jsonl"][row_of(files, BAKER, seq)]
    codes = {item.code: item for item in audited(files).findings if item.law is Law.CHAINED}
    assert "ACKNOWLEDGED_MISSING" in codes
    assert codes["ACKNOWLEDGED_MISSING"].place.seq == seq
    if seq < 8:
        assert codes["ENTRY_MISSING"].facts == {"first": seq, "last": seq}


def test_two_rows_swapped_are_out_of_order(audited: Audited) -> None:
    files = good()
    rows, index = files["entries.jsonl"], row_of(files, BAKER, 3)
    rows[index], rows[index + 1] = rows[index + 1], rows[index]
    found = [item for item in audited(files).findings if item.code == "ENTRY_OUT_OF_ORDER"]
    assert [(item.law, item.place.seq) for item in found] == [(Law.CHAINED, 3)]


def test_two_entries_swapped_under_each_others_number_are_misplaced(audited: Audited) -> None:
    files = good()
    rows, index = files["entries.jsonl"], row_of(files, BAKER, 2)
    first, second = rows[index], rows[index + 1]
    first["bytes"], second["bytes"] = second["bytes"], first["bytes"]
    found = [item for item in audited(files).findings if item.code == "ENTRY_MISPLACED"]
    assert [(item.law, item.place.seq) for item in found] == [(Law.CHAINED, 2), (Law.CHAINED, 3)]


def test_an_entry_signed_by_another_key_is_no_entry(audited: Audited) -> None:
    files = good()
    entry = files["entries.jsonl"][row_of(files, BAKER, 2)]
    payload = sign1.parse(bytes.fromhex(entry["bytes"])).payload
    forged = sign1.sign(SigningKey(bytes(range(32))), payload, sign1.ENTRY_AAD)
    entry["bytes"] = forged.hex()
    assert audited(files).findings.breaks(Law.CHAINED)


def test_an_amount_changed_and_signed_again_breaks_the_chain(audited: Audited) -> None:
    """Even the till itself cannot rewrite what it has uploaded."""
    files = good()
    index = row_of(files, BAKER, 2)
    entry = files["entries.jsonl"][index]
    payload = cbor.decode(sign1.parse(bytes.fromhex(entry["bytes"])).payload)
    assert isinstance(payload, dict)
    payload[36] = [[1, 1, 0, 1_350]]
    baker = SigningKey(bytes([BAKER % 256]) * 32)
    entry["bytes"] = sign1.sign(baker, cbor.encode(payload), sign1.ENTRY_AAD).hex()
    found = {item.code: item for item in audited(files).findings}
    assert found["ENTRY_UNCHAINED"].place.seq == 3
    assert found["ACKNOWLEDGED_MISSING"].place.seq == 2


def test_a_small_order_key_certifies_nobody(audited: Audited) -> None:
    files = good()
    files["terminals.jsonl"][0]["public_key"] = "01" + "00" * 31
    verdict = audited(files)
    assert "CERTIFICATE_BAD" in {item.code for item in verdict.findings}
    assert verdict.status(Law.CHAINED) == "disproved"


def test_a_quarantined_entry_is_a_link_of_the_chain_and_counts_for_nothing(
    audited: Audited,
) -> None:
    files = good()
    files["acknowledgements.jsonl"].clear()
    index = row_of(files, BAKER, 1)
    files["entries.jsonl"][index].update(verdict="quarantined", reason="ENTRY_ODD")
    verdict = audited(files)
    assert verdict.holds
    assert verdict.findings.trusted["QUARANTINED"] == 1
    del files["entries.jsonl"][index]
    assert "ENTRY_MISSING" in {item.code for item in audited(files).findings}


def test_a_sale_hidden_as_anothers_shows_by_its_till_and_is_claimed_for_nobody(
    audited: Audited,
) -> None:
    """Acknowledgements name hashes, too: without the till's journal nobody can know more."""
    books = Books(good(), [])
    hidden_sale(books)
    verdict = audited(books.files)
    assert verdict.holds
    assert verdict.findings.about["ENTRY_HIDDEN"] == {str(BAKER): 3}


def test_an_entry_is_a_hash_only_where_the_export_says_whom_it_leaves_out(audited: Audited) -> None:
    files = good()
    entry = files["entries.jsonl"][row_of(files, BAKER, 1)]
    entry["hash"] = sha256(bytes.fromhex(entry["bytes"])).hexdigest()
    entry["bytes"] = None
    assert {item.code for item in audited(files).findings} == {"ENTRY_NOT_SHOWN"}
    files[MANIFEST] = [{"left_out": ["037006"]}]
    verdict = audited(files)
    assert verdict.holds
    assert verdict.findings.trusted["ENTRY_HIDDEN"] == 1
    assert verdict.findings.about["ENTRY_HIDDEN"] == {str(BAKER): 1}, "said of which till"
    entry["hash"] = "00" * 32
    assert audited(files).status(Law.CHAINED) == "disproved"
