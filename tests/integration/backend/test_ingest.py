"""Batches as they really arrive: twice, crossed, cut, changed, from nobody."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest

from backend.adapters.unit_of_work import Unit
from backend.errors import NotPermittedError, UnknownError
from backend.services.alarms import hotlist
from backend.services.ingest.batches import Ingest
from backend.services.terminals.bundles import LAG_S
from backend.services.unit_of_work import Work
from cardlib.wire import cbor, sign1
from cardlib.wire.entry_body import Declined
from cardlib.wire.ids import Seq, TerminalNumber
from cardlib.wire.upload import Acknowledgement, Batch, Outcome
from tests.integration.backend.books import alarms, check_laws, held, payable, postings
from tests.integration.backend.builders import Till, Town

CREATED, EXISTS, QUARANTINED = Outcome.CREATED, Outcome.EXISTS, Outcome.QUARANTINED


def outcomes(answer: Acknowledgement) -> list[Outcome]:
    return [verdict.outcome for verdict in answer.verdicts]


def reasons(answer: Acknowledgement) -> list[str]:
    return [verdict.reason for verdict in answer.verdicts]


def with_sale(town: Town, cents: int = 700) -> Till:
    till = town.till()
    till.sell(town.chip_with(5000), cents)
    return till


def test_the_same_batch_twice_is_success_twice(town: Town) -> None:
    till = with_sale(town)
    assert outcomes(till.upload(*till.journal)) == [CREATED, CREATED]
    before = held(town)
    answer = till.upload(*till.journal)
    assert outcomes(answer) == [EXISTS, EXISTS]
    assert answer.high_seq == 2
    assert held(town) == before
    check_laws(town)


def test_crossed_batches_are_taken_in_exactly_once(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    for cents in (100, 200, 300):
        till.sell(chip, cents)
    early = till.upload(*till.journal[3:])
    assert reasons(early) == ["ENTRY_GAP"] * 3
    assert early.high_seq == 0
    first = till.upload(*till.journal[:4])
    assert outcomes(first) == [CREATED] * 4
    last = till.upload(*till.journal[3:])
    assert outcomes(last) == [EXISTS, CREATED, CREATED]
    assert payable(town, town.shop) == 600
    with town.work.begin() as unit:
        assert all(kept.released_at is not None for kept in unit.journals.quarantine())
    check_laws(town)


def test_a_cut_entry_is_kept_as_received(town: Town) -> None:
    till = with_sale(town)
    cut = till.journal[1][:-10]
    answer = till.upload(till.journal[0], cut)
    assert outcomes(answer) == [CREATED, QUARANTINED]
    assert reasons(answer)[1] == "MALFORMED"
    with town.work.begin() as unit:
        assert [kept.complete for kept in unit.journals.quarantine()] == [cut]
    assert outcomes(till.upload(*till.journal)) == [EXISTS, CREATED]
    check_laws(town)


@pytest.mark.parametrize("at", [40, 60, 100, -70, -5])
def test_a_changed_entry_does_not_enter_the_books(town: Town, at: int) -> None:
    till = with_sale(town)
    changed = bytearray(till.journal[1])
    changed[at] ^= 1
    answer = till.upload(till.journal[0], bytes(changed))
    assert outcomes(answer) == [CREATED, QUARANTINED]
    assert "payable" not in held(town)
    assert answer.high_seq == 1
    check_laws(town)


@pytest.mark.usefixtures("auditor_may_differ")
def test_a_bad_signature_below_a_good_one_is_a_defect_and_reverses_nothing(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    intent = bytearray(till.entry(till.intent(chip, 700)))
    intent[-1] ^= 1
    till.journal.append(bytes(intent))
    till.head = sha256(till.journal[0]).digest()
    till.heartbeat()
    answer = till.sync()
    assert outcomes(answer) == [CREATED, CREATED]
    assert alarms(town) == ["SIGNATURE_DEFECT"]


def test_an_entry_of_another_key_is_not_the_tills(town: Town) -> None:
    till, stranger = with_sale(town), town.till()
    till.key = stranger.key
    till.heartbeat()
    answer = till.sync()
    assert reasons(answer) == ["", "", "SIGNATURE_BAD"]
    assert alarms(town) == []


def test_a_replayed_entry_changes_nothing(town: Town) -> None:
    till = with_sale(town)
    answer = till.upload(*till.journal, till.journal[1], till.journal[0])
    assert outcomes(answer) == [CREATED, CREATED, EXISTS, EXISTS]
    assert payable(town, town.shop) == 700
    check_laws(town)


def test_a_second_history_is_a_fork(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 700)
    other = till.entry(till.intent(chip, 100), seq=Seq(2))
    till.sync()
    answer = till.upload(other)
    assert reasons(answer) == ["ENTRY_FORKED"]
    assert alarms(town) == ["JOURNAL_FORKED"]
    assert answer.high_hash == till.head
    check_laws(town)


def test_a_journal_that_grows_from_another_past_is_a_fork(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 700)
    till.sync()
    till.head = bytes(32)
    till.begin(chip, 100)
    assert reasons(till.sync()) == ["ENTRY_FORKED"]
    check_laws(town)


def test_an_unknown_terminal_is_told_so(town: Town) -> None:
    with pytest.raises(UnknownError, match="TERMINAL_UNKNOWN"):
        town.ingest.submit(Batch(TerminalNumber(77), ()), TerminalNumber(77))


def test_a_terminal_does_not_upload_for_another(town: Town) -> None:
    till, other = town.till(), town.till()
    with pytest.raises(NotPermittedError, match="TERMINAL_OTHER"):
        town.ingest.submit(Batch(till.number, ()), other.number)


def test_an_entry_of_another_terminal_is_kept_apart(town: Town) -> None:
    till, other = with_sale(town), town.till()
    assert reasons(other.upload(*till.journal)) == ["ENTRY_OTHER_TERMINAL"] * 2
    assert "payable" not in held(town)


def test_training_entries_never_enter_the_books(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till(training=True)
    till.sell(chip, 700)
    answer = till.sync()
    assert reasons(answer) == ["ENTRY_TRAINING"] * 2
    assert answer.high_seq == 2
    check_laws(town)


def test_an_intent_that_does_not_follow_from_what_was_read_is_kept_apart(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    intent = till.intent(chip, 700)
    richer = replace(intent, plan=replace(intent.plan, totals=(600, 0, 0, 0, 0, 0)))
    till.write(richer)
    till.debit(chip, Seq(1))
    till.commit(chip, Seq(1))
    answer = till.sync()
    assert reasons(answer) == ["INTENT_DOES_NOT_FOLLOW", "INTENT_MISSING"]
    assert answer.high_seq == 2
    assert postings(town, chip) == []
    check_laws(town)


def test_an_intent_on_an_unreadable_record_is_kept_apart(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.write(replace(till.intent(chip, 700), newest_record=b"\x01" + bytes(53)))
    assert reasons(till.sync()) == ["PREDECESSOR_UNREADABLE"]


def test_an_intent_is_closed_once(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.sell(chip, 700)
    till.not_applied(chip, Seq(1))
    assert reasons(till.sync()) == ["", "", "INTENT_CLOSED"]
    assert payable(town, town.shop) == 700
    check_laws(town)


def test_a_purse_of_nobody_is_kept_apart(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    stranger = replace(chip.info, purse=bytes(8))
    till.write(replace(till.intent(chip, 700), info_core=stranger.core))
    assert reasons(till.sync()) == ["PURSE_UNKNOWN"]


def test_the_same_entry_is_answered_the_same_when_it_is_in_quarantine(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    till.write(replace(till.intent(chip, 700), newest_record=b"\x01" + bytes(53)))
    assert reasons(till.upload(*till.journal)) == reasons(till.upload(*till.journal))


@dataclass
class CrashesAfterCommit:
    """A backend that is killed between commit and answer, ``times`` times."""

    work: Work
    times: int

    @contextmanager
    def begin(self) -> Generator[Unit]:
        with self.work.begin() as unit:
            yield unit
        if self.times:
            self.times -= 1
            raise KilledError

    def read(self) -> AbstractContextManager[Unit]:
        return self.work.read()


class KilledError(Exception):
    """The process is gone."""


def test_killed_between_commit_and_answer_the_till_asks_again_and_loses_nothing(
    town: Town,
) -> None:
    till = with_sale(town)
    dying = Ingest(CrashesAfterCommit(town.work, 1), town.keys, town.clock, town.randomness)
    batch = Batch(till.number, tuple(till.journal))
    with pytest.raises(KilledError):
        dying.submit(batch, till.number)
    answer = till.upload(*till.journal)
    assert outcomes(answer) == [EXISTS, EXISTS]
    assert payable(town, town.shop) == 700
    check_laws(town)


@dataclass
class CannotCommit:
    """A backend whose database refuses to make anything durable."""

    work: Work

    @contextmanager
    def begin(self) -> Generator[Unit]:
        with self.work.begin() as unit:
            unit.flush()
            unit.commit = _refuse  # type: ignore[method-assign]
            yield unit

    def read(self) -> AbstractContextManager[Unit]:
        return self.work.read()


def _refuse() -> None:
    raise KilledError


def test_a_bundle_that_was_not_committed_is_told_at_the_next_upload(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    first = till.upload().bundle_version
    till.sell(chip, 100)
    assert till.sync().bundle_version == first
    town.clock.sleep(LAG_S)
    failing = replace(town.ingest, work=CannotCommit(town.work))
    with pytest.raises(KilledError):
        failing.submit(Batch(till.number, tuple(till.journal)), till.number)
    assert till.upload().bundle_version == first + 1


def test_a_heartbeat_moves_the_terminal_mark_unless_an_intent_is_open(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    town.clock.sleep(60)
    till.heartbeat()
    till.begin(chip, 100)
    town.clock.sleep(60)
    till.heartbeat()
    till.sync()
    with town.work.begin() as unit:
        terminal = unit.terminals.terminal(till.number)
        assert terminal.mark == town.clock.seconds - 60
        assert terminal.mark_seq == 1


def test_the_bundle_changes_its_version_only_with_its_content(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    first = till.upload().bundle_version
    assert till.upload().bundle_version == first
    till.sell(chip, 100)
    assert till.sync().bundle_version == first  # the watermark moved; that may wait
    town.clock.sleep(LAG_S)
    assert till.upload().bundle_version == first + 1
    with town.work.begin() as unit:
        hotlist(town.purse_row(unit, chip), "CARD_LOST", town.clock.seconds)
        unit.commit()
    assert till.upload().bundle_version == first + 2  # that may not


def test_two_uploads_at_once_are_taken_in_one_after_the_other(town: Town) -> None:
    chip, till = town.chip_with(5000), town.till()
    for cents in (100, 200, 300, 400):
        till.sell(chip, cents)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: till.upload(*till.journal), range(4)))
    created = [answer for answer in answers if outcomes(answer) == [CREATED] * 8]
    assert len(created) == 1
    assert sum(outcomes(answer) == [EXISTS] * 8 for answer in answers) == 3
    assert payable(town, town.shop) == 1000


@pytest.mark.parametrize("wall_ms", [2**63, 2**64 - 1])
def test_a_clock_beyond_all_numbers_stops_no_upload(town: Town, wall_ms: int) -> None:
    till = town.till()
    till.write(Declined(code="CARD_MAC_BAD"), wall_ms=wall_ms)
    assert outcomes(till.upload(*till.journal)) == [CREATED]


@pytest.mark.parametrize("kind", [2**31, 2**64 - 1])
def test_an_entry_of_a_type_beyond_all_numbers_stops_no_upload(town: Town, kind: int) -> None:
    till = with_sale(town)
    fields = cbor.decode(sign1.parse(till.entry(Declined(code="PIN_WRONG"))).payload)
    assert isinstance(fields, dict)
    strange = sign1.sign(till.key, cbor.encode(fields | {2: kind}), sign1.ENTRY_AAD)
    till.journal.append(strange)
    till.head = sha256(strange).digest()
    till.heartbeat()

    answer = till.sync()

    assert outcomes(answer) == [CREATED, CREATED, QUARANTINED, CREATED]
    assert reasons(answer)[2] == "ENTRY_TYPE"
    assert payable(town, town.shop) == 700
