"""The commit of a sale and its attestation (PROTOCOL 2, commands 8 to 10)."""

from enum import Enum

from cardlib.codec.apdu import Command
from cardlib.codec.commands import choose_answer_key
from cardlib.codec.files import EF_SPEND, KeyId
from cardlib.dialogues.read import OpenPurse
from cardlib.dialogues.volley import Dialogue, send, send_all
from cardlib.errors import CardlibError
from cardlib.keys.secure_messaging import read_record_command, split_record_answer
from cardlib.wire.entry_body import AttestedRead


class CommitOutcome(Enum):
    """What is known after the UPDATE left. There is no third, comfortable answer."""

    COMMITTED = "committed"
    """The answer carried a valid MAC: the card was debited."""
    UNKNOWN = "unknown"
    """Anything else: only a fresh read decides (PROTOCOL 1.4)."""


def commit(purse: OpenPurse, command: Command) -> Dialogue[CommitOutcome]:
    """Sends the one UPDATE of this session; never raises for what card, line or module do.

    A module that goes away before it has checked the answer leaves the outcome unknown.
    """
    try:
        answer = yield from send(command)
        confirmed = purse.session.update_confirmed(answer)
    except CardlibError:
        return CommitOutcome.UNKNOWN
    return CommitOutcome.COMMITTED if confirmed else CommitOutcome.UNKNOWN


def attest(purse: OpenPurse, index: int) -> Dialogue[AttestedRead]:
    """MSE SET K_TC, then READ RECORD: a certificate that only the backend can check.

    Reads that follow are answered under K_TC too, until a new selection.
    """
    command = read_record_command(index, EF_SPEND.read_p2, EF_SPEND.record_size)
    answer = (yield from send_all(choose_answer_key(KeyId.ATTEST), command))[1]
    record, tc = split_record_answer(answer, EF_SPEND.record_size)
    return AttestedRead(index, record, purse.session.random, tc)
