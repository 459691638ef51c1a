"""The journal: numbered, chained, signed, one writer, room reserved."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from cardlib.codec.purse import Info, SpendType
from cardlib.wire.entry import encode_payload
from cardlib.wire.entry_body import (
    Committed,
    Declined,
    GrantSeen,
    Heartbeat,
    How,
    Intent,
    Line,
    Plan,
    Shown,
)
from cardlib.wire.entry_header import EntryType
from cardlib.wire.ids import PurseId, Seq
from cardlib.wire.upload import Acknowledgement, Outcome, Verdict
from terminal.errors import JournalError, TillError, UnsettledError
from terminal.journal.acknowledgements import ServerTime
from terminal.journal.journal import JournalReader
from terminal.journal.store import DiskFullError, connect
from terminal.till import Till
from tests.integration.terminal.stage import ISSUER, Stage

PURSE = PurseId(ISSUER, bytes(8))
FIRST_ENTRY = "SELECT complete FROM entries WHERE seq = 1"


class TinyDisk:
    """A disk whose free bytes the test sets."""

    def __init__(self, free: int) -> None:
        self.free = free

    def free_bytes(self, directory: Path) -> int:  # noqa: ARG002 - the port's signature
        return self.free


def acknowledge(stage: Stage, till: Till, seq: int, **changes: object) -> bytes:
    entry = till.journal.views.entry(seq)
    made = Acknowledgement(
        terminal=till.certificate.terminal, high_seq=Seq(seq), high_hash=entry.hash,
        server_time=1_790_000_000 + seq, nonce=seq, bundle_version=1,
        verdicts=(Verdict(Seq(seq), entry.hash, Outcome.QUARANTINED, "TOO_ODD"),),
    )  # fmt: skip
    return made.sign(stage.operator)


def test_entries_are_numbered_and_chained_from_the_certificate(stage: Stage) -> None:
    till = stage.till()
    first = till.journal.append(Declined(code="CARD_MAC_BAD"))
    second = till.journal.append(Heartbeat(server_time=1, nonce=2))
    certificate = till.files.certificate.read_bytes()
    assert first.header.prev_hash == sha256(certificate).digest()
    assert (first.header.seq, second.header.seq) == (1, 2)
    assert second.header.prev_hash == first.hash
    report = till.journal.check()
    assert report.good
    assert (report.entries, report.head_hash) == (2, second.hash)


def test_entries_say_which_parameters_were_in_force(stage: Stage) -> None:
    header = stage.till().journal.append(Declined(code="X")).header
    assert (header.parameters, header.hotlist, header.watermark) == (3, 17, 5)
    assert (header.terminal, header.cashier, header.batch) == (502, "2", 1)


def test_a_reopened_journal_goes_on_where_it_was(stage: Stage) -> None:
    till = stage.till()
    first = till.journal.append(Declined(code="X"))
    till.close()
    again = stage.till()
    assert again.journal.append(Declined(code="Y")).header.prev_hash == first.hash


def test_a_second_writer_is_refused(stage: Stage) -> None:
    stage.till()
    with pytest.raises(JournalError) as refused:
        stage.till()
    assert refused.value.code == "JOURNAL_IN_USE"


def test_entries_cannot_be_changed_or_removed(stage: Stage) -> None:
    till = stage.till()
    till.journal.append(Declined(code="X"))
    db = connect(till.files.journal, till.keys.journal).connection
    for statement in ("UPDATE entries SET type = 2", "DELETE FROM entries"):
        with pytest.raises(apsw.ConstraintError):
            db.execute(statement)
    db.close()


def test_the_file_is_unreadable_without_its_key(stage: Stage) -> None:
    till = stage.till()
    till.journal.append(Declined(code="A_WORD_TO_LOOK_FOR"))
    till.close()
    assert b"A_WORD_TO_LOOK_FOR" not in till.files.journal.read_bytes()
    with pytest.raises(JournalError) as refused:
        connect(till.files.journal, bytes(32))
    assert refused.value.code == "JOURNAL_KEY_WRONG"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("DELETE FROM entries WHERE seq = 2", "CHAIN_GAP"),
        ("UPDATE entries SET complete = substr(complete, 1, 40) WHERE seq = 2", "MALFORMED"),
        (f"UPDATE entries SET complete = ({FIRST_ENTRY}) WHERE seq = 3", "CHAIN_GAP"),
        ("UPDATE entries SET hash = zeroblob(32) WHERE seq = 3", "CHAIN_HASH"),
    ],
)
def test_the_check_names_what_was_changed_behind_its_back(
    stage: Stage, damage: str, code: str
) -> None:
    till = stage.till()
    for number in range(4):
        till.journal.append(Declined(code=f"N{number}"))
    db = connect(till.files.journal, till.keys.journal).connection
    db.execute("DROP TRIGGER entries_never_change; DROP TRIGGER entries_never_vanish;" + damage)
    db.close()
    assert code in {defect.code for defect in till.journal.check().defects}


def test_the_agent_reads_beside_the_till_and_keeps_acknowledgements(stage: Stage) -> None:
    till = stage.till()
    for number in range(3):
        till.journal.append(Declined(code=f"N{number}"))
    with till.read_journal() as reader:
        agent = reader.acknowledgements
        assert [item.seq for item in agent.pending(2)] == [1, 2]
        complete = acknowledge(stage, till, 2)
        agent.record(complete, Acknowledgement.open(complete, till.operator))
        assert (agent.uploaded().seq, agent.pending_count()) == (2, 1)
    till.journal.append(Declined(code="N4"))
    own = till.journal.acknowledgements
    assert own.kept() == [complete]
    assert own.server_time() == ServerTime(1_790_000_002, 2)
    assert [(item.seq, item.reason) for item in own.quarantined()] == [(2, "TOO_ODD")]


def test_an_acknowledgement_of_other_entries_is_refused(stage: Stage) -> None:
    till, other = stage.till(502), stage.till(503)
    till.journal.append(Declined(code="X"))
    other.journal.append(Declined(code="Y"))
    complete = acknowledge(stage, other, 1)
    with pytest.raises(JournalError) as refused:
        till.journal.acknowledgements.record(
            complete, Acknowledgement.open(complete, till.operator)
        )
    assert refused.value.code == "ACKNOWLEDGEMENT_FOREIGN"


def test_an_older_bundle_is_refused(stage: Stage) -> None:
    till = stage.till()
    old = stage.bundle.sign(stage.operator)
    stage.install(parameters=4)
    till.install_bundle(stage.bundle.sign(stage.operator), till.journal)
    assert till.trust.bundle is not None
    assert till.trust.bundle.parameters == 4
    with pytest.raises(TillError) as refused:
        till.install_bundle(old, till.journal)
    assert refused.value.code == "BUNDLE_OLDER"
    assert till.journal.append(Declined(code="X")).header.parameters == 4


def test_without_room_no_card_is_touched(stage: Stage) -> None:
    disk = TinyDisk(256 * 1024)
    till = stage.till(disk=disk)
    till.journal.reserve_space()
    assert till.files.ballast.stat().st_size == 256 * 1024
    disk.free = 0
    till.journal.reserve_space()  # the ballast is there already
    till.files.ballast.unlink()
    with pytest.raises(DiskFullError) as refused:
        till.journal.reserve_space()
    assert refused.value.code == "JOURNAL_DISK_FULL"


def test_a_grant_is_noted_once(stage: Stage) -> None:
    till = stage.till()
    grant = bytes((1, 0, 0, 7)) + bytes(87)
    till.journal.append(GrantSeen(grant=grant), purse=PURSE)
    assert till.journal.views.grant_seen(PURSE, 7) == 1
    assert till.journal.views.grant_seen(PURSE, 8) is None
    till.journal.append(GrantSeen(grant=grant), purse=PURSE)
    assert till.journal.views.grant_seen(PURSE, 7) == 1
    assert till.journal.views.head().seq == 2


def test_a_journal_of_a_later_version_is_left_alone(stage: Stage) -> None:
    till = stage.till()
    till.close()
    db = connect(till.files.journal, till.keys.journal).connection
    db.pragma("user_version", 99)
    db.close()
    with pytest.raises(JournalError) as refused:
        JournalReader.open_shared(till.files.journal, till.keys.journal, till.author)
    assert refused.value.code == "JOURNAL_VERSION"


def test_every_commit_is_synced_to_the_disk(stage: Stage) -> None:
    till = stage.till()
    db = till.journal._db
    assert (db.pragma("synchronous"), db.pragma("journal_mode")) == (2, "wal")


def test_an_entry_that_follows_from_another_one_breaks_the_chain(stage: Stage) -> None:
    till = stage.till()
    first = till.journal.append(Declined(code="A"))
    header = replace(first.header, seq=Seq(2), prev_hash=bytes(32))
    forged = till.module.sign_entry(encode_payload(header, Declined(code="B")))
    db = connect(till.files.journal, till.keys.journal).connection
    db.execute("INSERT INTO entries VALUES (2, 10, ?, ?, NULL)", (forged, sha256(forged).digest()))
    db.close()
    assert [item.code for item in till.journal.check().defects] == ["CHAIN_BROKEN"]


def an_intent(ctr: int) -> Intent:
    card = Info(PURSE.number, PURSE.issuer, 1, 0, 1, 0)
    plan = Plan(ctr, (5, 0, 0, 0, 0, 0), 9, 5, bytes(4), SpendType.SALE)
    return Intent(
        info_core=card.core, newest_record=bytes(54), newest_index=1, plan=plan,
        lines=(Line(1, 1, 0, 5),), grant_hashes=(bytes(32),), other_cents=0,
        shown=(Shown(1, 5, 0),), pin_asked=True,
    )  # fmt: skip


def a_sale(seq: int, record: bytes) -> Committed:
    return Committed(
        type=EntryType.SALE, intent_seq=Seq(seq), intent_hash=bytes(32), record=record,
        random=bytes(8), tc=None, index=1, how=How.DIRECT, receipt=1,
    )  # fmt: skip


def test_only_one_intent_may_be_open(stage: Stage) -> None:
    journal = stage.till().journal
    journal.append(an_intent(1))
    with pytest.raises(UnsettledError) as refused:
        journal.append(an_intent(2))
    assert (refused.value.code, refused.value.facts["seq"]) == ("INTENT_OPEN", 1)
    assert journal.views.head().seq == 1


def test_an_intent_is_closed_once(stage: Stage) -> None:
    journal = stage.till().journal
    journal.append(an_intent(1))
    journal.append(a_sale(1, bytes(54)))
    for again in (a_sale(1, bytes(54)), a_sale(9, bytes(54))):
        with pytest.raises(JournalError) as refused:
            journal.append(again)
        assert refused.value.code == "INTENT_CLOSED"
    assert journal.views.head().seq == 2


def test_the_own_mark_never_goes_back(stage: Stage) -> None:
    journal = stage.till().journal
    for ctr, record in ((7, b"\x07" * 54), (3, b"\x03" * 54)):
        intent = journal.append(an_intent(ctr))
        journal.append(a_sale(intent.header.seq, record))
    mark = journal.views.own_mark(PURSE)
    assert mark is not None
    assert (mark.ctr, mark.record_hash) == (7, sha256(b"\x07" * 54).digest())


def test_two_threads_append_one_after_the_other(stage: Stage) -> None:
    journal = stage.till().journal
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: journal.append(Declined(code=f"N{n}")), range(40)))
    assert journal.check().entries == 40
    assert journal.check().good
