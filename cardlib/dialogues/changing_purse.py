"""A purse between two key sets: attested reads under either, writes under the new one."""

from dataclasses import dataclass

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import choose_answer_key, get_challenge
from cardlib.codec.files import EF_GRANT, EF_SPEND, KeyId, PurseFile
from cardlib.codec.purse import EMPTY_GRANT, Info
from cardlib.dialogues.administration import Administrator
from cardlib.dialogues.attested import AttestedSpend, read_all_grants, read_spends
from cardlib.dialogues.load import CardState
from cardlib.dialogues.volley import Dialogue, Volley, send_all
from cardlib.errors import AuthenticityError
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant
from cardlib.keys.module import GrantReading
from cardlib.keys.suites import suite_of
from cardlib.ports import Randomness
from cardlib.wire.entry_body import AttestedRead

_SPENDS = range(1, EF_SPEND.records + 1)


@dataclass(frozen=True, slots=True)
class ChangingState:
    """What the card attested, seen as a purse of the old set and as one of the new.

    Both hold all 20 records of EF.SPEND, in clear whatever set they are of. A grant is
    readable in the view of its own set only.
    """

    old: CardState
    new: CardState
    has_init: bool
    """Whether the newest valid record is of the new set."""


class ChangingPurse(Administrator):
    """One selection of a purse whose key set is being changed."""

    def __init__(
        self,
        old: Info,
        new: Info,
        old_keys: PurseKeys,
        new_keys: PurseKeys,
        randomness: Randomness,
    ) -> None:
        super().__init__(suite_of(old.suite), old_keys, new_keys, randomness)
        self._old, self._new = old, new
        self._old_keys, self._new_keys = old_keys, new_keys
        self._attest_keys: tuple[bytes, ...] = (new_keys.attest, old_keys.attest)

    def read_state(self) -> Dialogue[ChangingState]:
        """Everything the card can attest, under the old or the new K_TC."""
        opening = (get_challenge(), self.fresh_random(), choose_answer_key(KeyId.ATTEST))
        answers = yield from send_all(*opening, *read_spends(_SPENDS), *read_all_grants())
        self.challenged(answers[0])
        spends = tuple(self.open_spend(nr, answers[2 + nr]) for nr in _SPENDS)
        return self._state(spends, answers[3 + EF_SPEND.records :])

    def read_again(self, before: ChangingState) -> Dialogue[ChangingState]:
        """The grants once more, and proof that no record was added; under the new K_TC only."""
        self._attest_keys = (self._new_keys.attest,)
        volley: Volley = (self.fresh_random(), *read_spends([1]), *read_all_grants())
        answers = yield from send_all(*volley, get_challenge())
        newest = self.open_spend(1, answers[1])
        self._require_same(newest, before)
        self.challenged(answers[-1])
        return self._state((newest, *before.old.spends[1:]), answers[2:-1])

    def read_newest_again(self, before: ChangingState) -> Dialogue[None]:
        """A challenge, and proof that no record was added until it was given.

        Shops hold the new K_DC by now: whatever one writes later uses the challenge up.
        """
        volley: Volley = (get_challenge(), self.fresh_random(), *read_spends([1]))
        answers = yield from send_all(*volley)
        self.challenged(answers[0])
        self._require_same(self.open_spend(1, answers[2]), before)

    def load_write(self, plain: Command) -> Command:
        """A write under the new K_LC."""
        self._command_key = self._new_keys.load_command
        return self.secured(plain)

    def require_loaded(self, command: Command, answer: Response, random: bytes) -> None:
        """AuthenticityError or CardAnswerError unless confirmed under the new K_LR."""
        key = self._new_keys.load_response
        secure_messaging.require_write(self._suite, key, random, command, answer)

    def spend_write(self, plain: Command) -> Command:
        """A write under the new K_DC."""
        self._command_key = self._new_keys.debit.command
        return self.secured(plain)

    def require_spent(self, command: Command, answer: Response, random: bytes) -> None:
        """AuthenticityError or CardAnswerError unless confirmed under the new K_DR."""
        key = self._new_keys.debit.response
        secure_messaging.require_write(self._suite, key, random, command, answer)

    def seal_grant(self, signed: SignedGrant | None) -> bytes:
        """The 95 bytes that hold the grant under the new K_REC, or the empty record."""
        if signed is None:
            return EMPTY_GRANT
        return records.seal_grant(self._new_keys.debit.record, signed)

    def open_record(self, file: PurseFile, number: int, answer: Response) -> AttestedRead:
        """Verifies an attested read; AuthenticityError when neither key made its MAC."""
        command = secure_messaging.read_record_command(number, file.read_p2, file.record_size)
        record, tc = secure_messaging.split_record_answer(answer, file.record_size)
        for key in self._attest_keys:
            try:
                secure_messaging.open_record_answer(
                    self._suite, key, self._random, command, answer, file.record_size
                )
            except AuthenticityError:
                continue
            return AttestedRead(number, record, self._random, tc)
        raise AuthenticityError("CARD_MAC_BAD")

    def open_spend(self, index: int, answer: Response) -> AttestedSpend:
        """Verifies and decrypts, whatever set the record is of."""
        read = self.open_record(EF_SPEND, index, answer)
        keys = (self._new_keys.debit.record, *self._older_records)
        opened = (records.open_spend(key, read.record) for key in keys)
        return AttestedSpend(read, next((spend for spend in opened if spend), None))

    @staticmethod
    def _require_same(newest: AttestedSpend, before: ChangingState) -> None:
        if newest.record != before.old.spends[0].record:
            raise AuthenticityError("CARD_READ_BACK_DIFFERS", record=1)

    @property
    def _older_records(self) -> tuple[bytes, ...]:
        return (self._old_keys.debit.record, *self._old_keys.older_records)

    def _state(
        self, spends: tuple[AttestedSpend, ...], answers: tuple[Response, ...]
    ) -> ChangingState:
        reads = [self.open_record(EF_GRANT, nr, item) for nr, item in enumerate(answers, 1)]
        newest = next((item for item in spends if item.spend is not None), None)
        key = self._new_keys.debit.record
        return ChangingState(
            CardState(self._old, spends, _grants(reads, self._old_keys.debit.record)),
            CardState(self._new, spends, _grants(reads, key)),
            newest is not None and records.open_spend(key, newest.record) is not None,
        )


def _grants(reads: list[AttestedRead], key: bytes) -> tuple[GrantReading, ...]:
    return tuple(
        GrantReading(item.index, item.record, records.open_grant(key, item.record))
        for item in reads
    )
