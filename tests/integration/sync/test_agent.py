"""The agent against the backend's services over real HTTP, and everything a line can do to it."""

from dataclasses import replace
from pathlib import Path

import pytest

from cardlib.errors import AuthenticityError
from cardlib.wire.bundle import Bundle
from cardlib.wire.card_session import SessionAnswers, SessionOpening
from cardlib.wire.entry_body import Heartbeat
from cardlib.wire.upload import Acknowledgement, Batch, Outcome
from terminal.agent.errors import NotBelievedError, SyncError, UnreachableError
from terminal.agent.heartbeat import append_heartbeat
from terminal.agent.loop import Agent, AgentLock, RoundReport
from terminal.agent.status import look
from terminal.agent.step import NOT_PLACED
from terminal.errors import TillError
from terminal.journal.views import StoredEntry
from tests.integration.backend.builders import START, Town
from tests.integration.sync.conftest import Shop
from tests.integration.sync.service import STRANGER, Service

MONTH_S = 30 * 24 * 3600


def test_everything_arrives_and_stays_here_too(shop: Shop) -> None:
    shop.write(3)
    report = shop.sync()
    assert (report.sent, report.pending, report.problem) == (3, 0, "")
    assert shop.accepted() == 3
    with shop.till.read_journal() as reader:
        assert reader.views.head().seq == 3
        assert len(reader.acknowledgements.kept()) == 1
        last = reader.acknowledgements.server_time()
        assert last is not None
        assert last.time == START


def test_many_entries_go_in_bounded_batches(shop: Shop) -> None:
    shop.write(1030)
    assert shop.sync().pending == 0
    assert [len(sizes) for sizes in shop.service.uploads] == [500, 500, 30]


def test_a_heartbeat_moves_the_terminal_mark(shop: Shop) -> None:
    shop.write(1)
    shop.sync(beat_due=True)
    with shop.till.read_journal() as reader:
        (_, beat) = [stored.decode() for stored in reader.views.entries()]
        answered = Acknowledgement.open(reader.acknowledgements.kept()[0], shop.till.operator)
    assert beat.body == Heartbeat(server_time=START, nonce=answered.nonce)
    with shop.service.town.work.begin() as unit:
        assert unit.terminals.terminal(shop.number).mark == START


def test_a_running_till_writes_its_own_heartbeat(shop: Shop) -> None:
    shop.write(1)
    with shop.journal() as journal:
        assert not append_heartbeat(journal)  # no answer yet
        report = shop.sync(beat_due=True)
        assert report.problem == ""
        assert journal.views.head().seq == 1
        assert append_heartbeat(journal)
        assert journal.views.head().seq == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("away", "SERVICE_UNREACHABLE"),
        ("lost answer", "SERVICE_UNREACHABLE"),
        ("truncated", "SERVICE_UNREACHABLE"),
        ("busy", "SERVICE_BUSY"),
        ("too many", "SERVICE_BUSY"),
        ("changed body", "ANSWER_NOT_SIGNED"),
        ("bad signature", "ANSWER_NOT_SIGNED"),
        ("stranger", "ANSWER_NOT_SIGNED"),
        ("for another", "ANSWER_NOT_SIGNED"),
        ("nonsense", "ANSWER_NOT_SIGNED"),
        ("redirect", "ANSWER_NOT_SIGNED"),
        ("unsigned refusal", "TERMINAL_PERHAPS_UNKNOWN"),
        ("endless", "ANSWER_UNREADABLE"),
    ],
)
def test_after_any_fault_nothing_is_believed_and_nothing_lost(
    shop: Shop, fault: str, code: str
) -> None:
    shop.write(5)
    shop.service.faults.append(fault)
    report = shop.sync()
    assert (report.problem, report.pending, report.final) == (code, 5, False)
    assert report.rest_s > 0
    again = shop.sync()
    assert (again.problem, again.pending, shop.accepted()) == ("", 0, 5)
    assert shop.journal_is_whole()


def test_a_busy_service_says_how_long_to_wait(shop: Shop) -> None:
    shop.service.faults.append("busy")
    assert shop.sync().rest_s == 120


def test_an_answer_given_before_is_not_believed(shop: Shop) -> None:
    """The same batch again, answered with the recorded answer to the first try."""
    shop.write(2)
    shop.service.faults.extend(["lost answer", "replayed"])
    shop.sync()
    report = shop.sync()
    assert (report.problem, report.pending) == ("ANSWER_NOT_SIGNED", 2)


def test_an_answer_that_acknowledges_other_entries_is_not_believed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even the operator's signature does not cover entries that were not sent."""
    shop.write(2)
    ingest = shop.service.town.ingest
    real = type(ingest).submit

    def fewer(self: object, batch: Batch, signer: int) -> bytes:
        return real(self, replace(batch, entries=batch.entries[:1]), signer)  # type: ignore[arg-type]

    monkeypatch.setattr(type(ingest), "submit", fewer)
    report = shop.sync()
    assert (report.problem, report.pending) == ("ANSWER_OTHER", 2)


def test_a_till_believes_its_own_operator_only(shop: Shop) -> None:
    shop.write(1)
    assert shop.sync(operator=STRANGER.public).problem == "ANSWER_NOT_SIGNED"
    assert shop.pending() == 1


def test_a_backend_killed_between_commit_and_answer_has_every_entry_once(shop: Shop) -> None:
    shop.write(4)
    shop.service.faults.append("lost answer")
    shop.sync()
    assert (shop.accepted(), shop.pending()) == (4, 4)
    assert shop.sync().pending == 0
    with shop.till.read_journal() as reader:
        answer = Acknowledgement.open(reader.acknowledgements.kept()[0], shop.till.operator)
    assert {verdict.outcome for verdict in answer.verdicts} == {Outcome.EXISTS}


@pytest.mark.parametrize("point", ["answered", "acknowledged", "bundle"])
def test_an_agent_killed_anywhere_goes_on(shop: Shop, point: str) -> None:
    class KilledError(Exception):
        pass

    def kill(name: str) -> None:
        if name == point:
            raise KilledError

    shop.write(600)
    change_bundle(shop.service.town)
    with shop.uplink() as uplink, pytest.raises(KilledError):
        Agent(shop.till, uplink, shop.clock, shop.randomness, checkpoint=kill).round()
    report = shop.sync(beat_due=True)
    assert (report.problem, report.pending, report.bundle) == ("", 0, 2)
    assert shop.journal_is_whole()


def change_bundle(town: Town) -> None:
    town.office.name_category(1, "igiene", "hygiene")


def test_a_newer_bundle_is_installed_whole(shop: Shop) -> None:
    change_bundle(shop.service.town)
    assert shop.sync().bundle == 2
    assert [item.bit for item in shop.till.trust.categories] == [0, 1]


def test_an_older_or_foreign_bundle_is_never_accepted(shop: Shop) -> None:
    first = shop.till.files.bundle.read_bytes()
    change_bundle(shop.service.town)
    shop.sync()
    newest = shop.till.files.bundle.read_bytes()
    bundle = Bundle.open(newest, shop.till.operator)
    with shop.till.read_journal() as reader:
        with pytest.raises(TillError, match="BUNDLE_OLDER"):
            shop.till.install_bundle(first, reader)
        with pytest.raises(AuthenticityError):
            shop.till.install_bundle(replace(bundle, version=9).sign(STRANGER), reader)
    assert shop.till.files.bundle.read_bytes() == newest


@pytest.mark.parametrize("off_s", [MONTH_S, -MONTH_S])
def test_a_clock_off_by_a_month_does_not_stop_the_upload(shop: Shop, off_s: int) -> None:
    """The server's signed time is used to sign; the till's own clock is left alone."""
    shop.write(2)
    shop.clock.seconds += off_s
    report = shop.sync()
    assert (report.problem, report.pending) == ("", 0)
    assert shop.clock.seconds == START + off_s
    assert len(shop.service.requests) == 2


def test_a_clock_off_by_an_hour_still_gets_its_bundle(shop: Shop) -> None:
    """Uploads may be a week off, other requests five minutes."""
    change_bundle(shop.service.town)
    shop.clock.seconds -= 3600
    assert (shop.sync().bundle, len(shop.service.requests)) == (2, 3)


def test_two_agents_of_one_till_exclude_each_other(shop: Shop) -> None:
    with AgentLock(shop.till), pytest.raises(SyncError, match="SYNC_RUNNING"):
        AgentLock(shop.till)
    with AgentLock(shop.till):
        pass


def test_batches_that_cross_are_taken_once(shop: Shop) -> None:
    """While one agent's answer is on its way, another uploads the same and more."""
    shop.write(3)

    def other_agent() -> None:
        shop.service.between = lambda: None
        shop.write(2)
        entries = stored(shop)
        town = shop.service.town
        number = shop.till.certificate.terminal
        town.ingest.submit(Batch(number, tuple(item.complete for item in entries)), number)

    shop.service.between = other_agent
    report = shop.sync()
    assert (report.problem, report.pending, shop.accepted()) == ("", 0, 5)


def stored(shop: Shop) -> list[StoredEntry]:
    with shop.till.read_journal() as reader:
        return list(reader.views.entries())


def test_a_backend_restored_from_a_backup_gets_everything_again(shop: Shop) -> None:
    shop.write(8)
    shop.sync()
    entries = stored(shop)
    with shop.service.town.work.begin() as unit:
        terminal = unit.terminals.terminal(shop.number)
        terminal.high_seq, terminal.high_hash = 2, entries[1].hash
        for seq in range(3, 9):
            row = unit.journals.entry(shop.number, seq)
            assert row is not None
            unit._session.delete(row)
        unit.commit()
    shop.write(1)
    report = shop.sync()
    assert (report.problem, report.pending, shop.accepted()) == ("", 0, 9)


def test_two_journals_under_one_number_stop_the_agent(shop: Shop, tmp_path: Path) -> None:
    """A till restored from an old image: its journal is not the one that the backend holds."""
    shop.write(3)
    shop.sync()
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (shop.directory / name).unlink(missing_ok=True)
    shop.clock.seconds += 60
    shop.write(3)
    report = shop.sync()
    assert (report.problem, report.final) == ("ACKNOWLEDGEMENT_FOREIGN", True)
    assert shop.pending() == 3


def test_quarantined_entries_are_shown_and_kept(shop: Shop, service: Service) -> None:
    """The backend has lost its view of the chain: what it cannot place is told, not dropped."""
    shop.write(4)
    with service.town.work.begin() as unit:
        unit.terminals.terminal(shop.number).high_hash = bytes(32)
        unit.commit()
    report = shop.sync()
    assert report.problem == NOT_PLACED
    assert [(item.seq, item.reason) for item in report.quarantined] == [
        (1, "ENTRY_FORKED"), (2, "ENTRY_GAP"), (3, "ENTRY_GAP"), (4, "ENTRY_GAP"),
    ]  # fmt: skip
    assert shop.pending() == 4
    assert len(stored(shop)) == 4


def test_a_running_agent_rests_and_gets_up_for_new_sales(shop: Shop) -> None:
    reports: list[RoundReport] = []
    naps = 0

    def stopping() -> bool:
        nonlocal naps
        naps += 1
        if naps == 4:
            shop.write(1)
        return len(reports) == 2

    with shop.uplink() as uplink:
        Agent(shop.till, uplink, shop.clock, shop.randomness).run(reports.append, stopping)
    assert [(report.sent, report.problem) for report in reports] == [(1, ""), (2, "")]
    assert shop.clock.seconds < START + 60


def test_the_status_tells_what_is_still_here(shop: Shop) -> None:
    shop.write(2)
    before = look(shop.till)
    assert (before.entries_here, before.sales_here, before.last_answer) == (2, 0, None)
    assert before.oldest_here == START
    shop.sync()
    shop.clock.seconds += 3 * 24 * 3600
    after = look(shop.till)
    assert (after.entries_here, after.last_answer, after.days_left) == (0, START, 7)


@pytest.mark.parametrize("fault", ["away", "lost answer", "truncated"])
def test_a_lost_step_of_a_card_session_is_asked_for_again(shop: Shop, fault: str) -> None:
    """The card waits in the reader; each try is a request of its own, with its own nonce."""
    shop.service.faults.append(fault)
    with shop.uplink() as uplink:
        answers = SessionAnswers(1, (b"\x90\x00",))
        assert uplink.step("s1", answers).outcome == "LOAD_NOTHING_WAITING"
    inputs = {request.headers["signature-input"] for request in shop.service.requests}
    assert len(inputs) == 2


def test_a_card_session_with_a_wrong_clock_goes_on(shop: Shop) -> None:
    shop.clock.seconds += 3600
    with shop.uplink() as uplink:
        assert uplink.open(SessionOpening("load", "")).done
    assert len(shop.service.requests) == 2


@pytest.mark.parametrize("fault", ["stranger", "replayed", "changed body"])
def test_commands_for_a_card_are_taken_from_the_operator_only(shop: Shop, fault: str) -> None:
    with shop.uplink() as uplink:
        uplink.open(SessionOpening("load", ""))
        shop.service.faults.append(fault)
        with pytest.raises(NotBelievedError):
            uplink.open(SessionOpening("load", ""))


def test_a_service_that_never_answers_does_not_hold_the_card_for_ever(shop: Shop) -> None:
    shop.service.faults.extend(["away"] * 9)
    with shop.uplink() as uplink, pytest.raises(UnreachableError):
        uplink.open(SessionOpening("load", ""))
    assert len(shop.service.requests) < 9
