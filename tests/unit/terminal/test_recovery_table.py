"""Every row of the read table, and their order."""

import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from cardlib.codec.purse import EMPTY_SPEND, ZERO_TOTALS, Spend, SpendType
from cardlib.keys.module import SpendReading
from cardlib.keys.records import open_spend, seal_spend
from cardlib.text.catalogue import load
from cardlib.wire.ids import PurseId
from terminal.recovery import table
from terminal.recovery.table import Conclusion, Evidence, Question, Verdict, conclude

KEY = bytes(16)
PURSE = PurseId(bytes(3), bytes(8))
OWN_HASH = bytes([0xAA]) * 8
CTR = 10


def sealed(ctr: int, before: bytes | None, *, own: bool = False, seq: int = 1) -> bytes:
    """A record chained to ``before``; ``own`` carries the intent's hash."""
    prev = sha256(before).digest()[:4] if before is not None else bytes(4)
    intent_hash = OWN_HASH if own else bytes([ctr]) * 8
    totals = (ctr * 100, *ZERO_TOTALS[1:])
    return seal_spend(KEY, Spend(SpendType.SALE, ctr, intent_hash, totals, 502, seq, 9, 0, prev))


OLDER = sealed(CTR - 2, None)
PRIOR = sealed(CTR - 1, OLDER)
OWN = sealed(CTR, PRIOR, own=True)
RIVAL = sealed(CTR, PRIOR)
QUESTION = Question(PURSE, CTR, OWN_HASH, OWN, PRIOR)
TORN = b"\x01" + bytes(53)


def reading(index: int, record: bytes) -> SpendReading:
    return SpendReading(index, record, open_spend(KEY, record))


def read(*records: bytes, purse: PurseId = PURSE) -> Conclusion:
    readings = tuple(reading(index, record) for index, record in enumerate(records, 1))
    return conclude(QUESTION, Evidence(purse, readings))


def ring_above(base: bytes, start: int, count: int) -> list[bytes]:
    """``count`` records chained above ``base``, newest first."""
    records = [base]
    for ctr in range(start, start + count):
        records.insert(0, sealed(ctr, records[0]))
    return records[:-1]


def test_no_answer_with_a_good_mac_concludes_nothing() -> None:
    assert conclude(QUESTION, None).verdict is Verdict.NOTHING


def test_another_purse_is_the_wrong_card() -> None:
    other = PurseId(bytes(3), bytes([1]) * 8)
    assert read(OWN, PRIOR, purse=other).verdict is Verdict.WRONG_CARD


def test_our_record_below_another_one_of_its_counter_is_overwritten() -> None:
    found = read(RIVAL, OWN, PRIOR)
    assert (found.verdict, found.code) == (Verdict.UNRESOLVED, "RECOVERY_OVERWRITTEN")
    assert found.attest == (1, 2)


def test_our_own_record_twice_is_no_fork() -> None:
    assert read(OWN, PRIOR, OWN, PRIOR).verdict is Verdict.COMMITTED


def test_our_record_on_top_is_committed() -> None:
    found = read(OWN, PRIOR)
    assert (found.verdict, found.attest, found.torn) == (Verdict.COMMITTED, (1,), 0)


def test_our_record_below_torn_ones_is_committed() -> None:
    found = read(TORN, EMPTY_SPEND, OWN, PRIOR)
    assert (found.verdict, found.attest, found.torn) == (Verdict.COMMITTED, (3,), 2)


def test_our_hash_over_other_bytes_is_a_fork() -> None:
    forged = sealed(CTR, PRIOR, own=True, seq=7)
    assert read(forged, PRIOR).code == "RECOVERY_FORKED"
    elsewhere = sealed(CTR + 1, RIVAL, own=True)
    assert read(elsewhere, RIVAL, PRIOR).code == "RECOVERY_FORKED"


@pytest.mark.parametrize("torn", [0, 1, 3])
def test_the_record_before_the_intent_on_top_means_not_applied(torn: int) -> None:
    found = read(*[TORN] * torn, PRIOR)
    assert (found.verdict, found.retry, found.torn) == (Verdict.NOT_APPLIED, True, torn)
    assert found.newest == PRIOR


def test_our_record_below_later_ones_was_committed_earlier() -> None:
    later = ring_above(OWN, CTR + 1, 3)
    found = read(*later, OWN, PRIOR)
    assert (found.verdict, found.attest) == (Verdict.COMMITTED, (4,))


def test_our_place_taken_by_another_record_means_not_applied_without_retry() -> None:
    found = read(RIVAL, PRIOR)
    assert (found.verdict, found.retry) == (Verdict.NOT_APPLIED, False)
    later = ring_above(RIVAL, CTR + 1, 2)
    assert read(*later, RIVAL, PRIOR).verdict is Verdict.NOT_APPLIED


def test_records_that_do_not_link_prove_no_absence() -> None:
    stranger = sealed(CTR + 1, OLDER)
    assert read(stranger, RIVAL, PRIOR).code == "RECOVERY_NOT_LINKED"
    assert read(sealed(CTR, OLDER), PRIOR).code == "RECOVERY_NOT_LINKED"


def test_a_read_that_stopped_early_proves_no_absence() -> None:
    assert read(RIVAL).code == "RECOVERY_NOT_LINKED"


def test_identical_neighbours_count_once() -> None:
    assert read(RIVAL, RIVAL, PRIOR).verdict is Verdict.NOT_APPLIED
    assert read(OWN, OWN, PRIOR).verdict is Verdict.COMMITTED


def test_our_place_rolled_out_of_the_ring_is_for_the_backend() -> None:
    ring = ring_above(RIVAL, CTR + 1, 20)
    assert len(ring) == 20
    assert read(*ring).code == "RECOVERY_ROLLED_OUT"


def test_our_place_torn_is_for_the_backend() -> None:
    later = sealed(CTR + 1, RIVAL)
    assert read(later, TORN, PRIOR).code == "RECOVERY_ROLLED_OUT"


def test_a_card_behind_the_record_before_the_intent_was_rolled_back() -> None:
    assert read(OLDER).code == "RECOVERY_ROLLED_BACK"


def test_another_record_before_the_intent_was_rolled_back() -> None:
    other = replace(QUESTION, prior=sealed(CTR - 1, None))
    readings = (reading(1, PRIOR),)
    assert conclude(other, Evidence(PURSE, readings)).code == "RECOVERY_ROLLED_BACK"


def test_a_card_without_a_valid_record_goes_to_the_desk() -> None:
    assert read(*[TORN] * 19, EMPTY_SPEND).code == "RECOVERY_NO_RECORD"
    assert conclude(QUESTION, Evidence(PURSE, ())).code == "RECOVERY_NO_RECORD"


def test_every_conclusion_is_worded() -> None:
    text = Path(table.__file__).read_text("utf-8")
    used = set(re.findall(r'"(RECOVERY_[A-Z_]+)"', text))
    assert len(used) >= 9
    assert used <= set(load("it")["codes"])
    assert used <= set(load("en")["codes"])
