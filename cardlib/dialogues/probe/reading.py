"""Questions that only read."""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import (
    choose_answer_key,
    get_challenge,
    give_random,
    read_binary,
    read_info,
    select,
    select_purse,
)
from cardlib.codec.fcp import FileControl
from cardlib.codec.files import (
    DF_BUONO_LAST,
    DF_SERVICES,
    EF_GDO,
    EF_GRANT,
    EF_INFO,
    EF_SPEND,
    KeyId,
    PurseFile,
    path_bytes,
)
from cardlib.codec.status import Status
from cardlib.dialogues.probe.answers import Questions, Said, Subject, word
from cardlib.dialogues.volley import Dialogue, send, send_all
from cardlib.errors import MalformedError
from cardlib.keys.secure_messaging import read_record_command, split_record_answer
from cardlib.keys.suites import MAC_SIZE

HOST_RANDOM = bytes(range(1, MAC_SIZE + 1))
_TAG_SERIAL = 0x5A
_EXTENDED = 257


def _fcp(_: Subject) -> Dialogue[Said]:
    command = Command(0x00, 0xA4, 0x08, 0x00, path_bytes((DF_SERVICES,)), 256)
    answer = yield from send(command)
    if not answer.ok:
        return False, word(answer)
    try:
        control = FileControl.decode(answer.data)
    except MalformedError as error:
        return False, str(error.facts["why"])
    told = " ".join(f"{tag:02X}" for tag in control.tags)
    return control.fid == DF_SERVICES, f"{control.template:02X}: {told}"


def _no_fcp(_: Subject) -> Dialogue[Said]:
    answer = yield from send(select((DF_SERVICES,)))
    return answer.ok and not answer.data, word(answer)


def _serial(_: Subject) -> Dialogue[Said]:
    data = (yield from _gdo()).data
    return data[:1] == bytes((_TAG_SERIAL,)), f"{data[:2].hex().upper()}, {len(data)} bytes"


def _gdo() -> Dialogue[Response]:
    """EF.GDO, which both kinds of card have, read past its end."""
    yield from send_all(select(EF_GDO))
    return (yield from send(read_binary(0, 255)))


def _end_of_file(_: Subject) -> Dialogue[Said]:
    answer = yield from _gdo()
    told = f"{word(answer)}, {len(answer.data)} bytes"
    return answer.status == Status.END_OF_FILE and bool(answer.data), told


def _at_end(_: Subject) -> Dialogue[Said]:
    size = len((yield from _gdo()).data)
    answer = yield from send(read_binary(size, 1))
    return answer.status == Status.END_OF_FILE, word(answer)


def _past_end(_: Subject) -> Dialogue[Said]:
    size = len((yield from _gdo()).data)
    answer = yield from send(read_binary(size + 1, 1))
    return answer.status == Status.WRONG_OFFSET, word(answer)


def _extended(_: Subject) -> Dialogue[Said]:
    expected = (yield from _gdo()).data
    answer = yield from send(read_binary(0, _EXTENDED))
    return bool(expected) and answer.data == expected, word(answer)


def _challenge(_: Subject) -> Dialogue[Said]:
    first = yield from send(get_challenge())
    second = yield from send(get_challenge())
    good = len(first.data) == len(second.data) == 8 and first.data != second.data
    return good, f"{word(first)}, {len(first.data)} bytes"


def _other_challenge(_: Subject) -> Dialogue[Said]:
    answer = yield from send(Command(0x00, 0x84, 0, 0, le=4))
    return answer.ok, f"{word(answer)}, {len(answer.data)} bytes"


def _random_80(_: Subject) -> Dialogue[Said]:
    answer = yield from send(give_random(HOST_RANDOM))
    return answer.ok, word(answer)


def _random_00(_: Subject) -> Dialogue[Said]:
    answer = yield from send(Command(0x00, 0x86, 0, 0, HOST_RANDOM))
    return answer.ok, word(answer)


ON_ANY_CARD: Questions = {
    "select_gives_fcp": _fcp,
    "select_without_fcp": _no_fcp,
    "gdo_serial_5a": _serial,
    "end_of_file_6282": _end_of_file,
    "offset_at_end_6282": _at_end,
    "offset_past_end_6b00": _past_end,
    "extended_length": _extended,
    "challenge_of_8": _challenge,
    "challenge_of_4": _other_challenge,
    "give_random_cla_80": _random_80,
    "give_random_cla_00": _random_00,
}


def enter(subject: Subject) -> Dialogue[None]:
    """Selects the purse directory."""
    assert subject.directory is not None
    yield from send_all(select_purse(subject.directory))


def read_of(file: PurseFile, record: int = 1) -> Command:
    """READ RECORD under secure messaging."""
    return read_record_command(record, file.read_p2, file.record_size)


def _short_ids(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    answer = yield from send(read_info())
    return answer.ok and len(answer.data) == EF_INFO.size, word(answer)


def _without_random(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    answer = yield from send(read_of(EF_SPEND))
    return answer.status == Status.CONDITIONS, word(answer)


def _plain(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    plain = Command(0x00, 0xB2, 1, EF_SPEND.read_p2, le=EF_SPEND.record_size)
    answer = yield from send(plain)
    return answer.status == Status.SECURITY_STATUS, word(answer)


def _maced(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    spend = yield from send(read_of(EF_SPEND))
    split_record_answer(spend, EF_SPEND.record_size)
    yield from send_all(give_random(HOST_RANDOM))
    grant = yield from send(read_of(EF_GRANT))
    split_record_answer(grant, EF_GRANT.record_size)
    return True, f"{word(spend)}, {word(grant)}"


def _reused(subject: Subject) -> Dialogue[Said]:
    """The same record over the same random: the same MAC, twice."""
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    first = yield from send(read_of(EF_SPEND))
    second = yield from send(read_of(EF_SPEND))
    return first.ok and first == second, word(second)


def _chosen_key(subject: Subject) -> Dialogue[Said]:
    """Under another key the same answer has another MAC, and its own again under its own."""
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    read = read_of(EF_SPEND)
    before = yield from send(read)
    chosen = yield from send(choose_answer_key(KeyId.ATTEST))
    other = yield from send(read)
    yield from send(choose_answer_key(KeyId.DEBIT_RESPONSE))
    again = yield from send(read)
    good = before.ok and chosen.ok and other.ok
    return good and other != before and again == before, f"{word(chosen)}, {word(other)}"


def _selection_clears(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    yield from enter(subject)
    answer = yield from send(read_of(EF_SPEND))
    return answer.status == Status.CONDITIONS, word(answer)


def _failed_selection(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    missed = yield from send(select_purse(DF_BUONO_LAST))
    answer = yield from send(read_of(EF_SPEND))
    return not missed.ok and answer.ok, f"{word(missed)}, {word(answer)}"


def _no_such_record(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    yield from send_all(give_random(HOST_RANDOM))
    answer = yield from send(read_of(EF_SPEND, EF_SPEND.records + 1))
    return answer.status == Status.RECORD_NOT_FOUND, word(answer)


def _messaging_elsewhere(subject: Subject) -> Dialogue[Said]:
    yield from enter(subject)
    answer = yield from send(Command(0x0C, 0xB0, 0x80 | EF_INFO.sfi, 0, le=EF_INFO.size))
    return answer.status == Status.SM_NOT_SUPPORTED, word(answer)


IN_A_PURSE: Questions = {
    "short_file_ids": _short_ids,
    "plain_read_6982": _plain,
    "read_without_random_6985": _without_random,
    "read_with_mac": _maced,
    "random_serves_several_answers": _reused,
    "mse_chooses_answer_key": _chosen_key,
    "selection_clears_random": _selection_clears,
    "failed_selection_changes_nothing": _failed_selection,
    "no_such_record_6a83": _no_such_record,
    "messaging_elsewhere_6882": _messaging_elsewhere,
}
