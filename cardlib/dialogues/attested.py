"""Attested reads and secured writes of one selected purse, as the backend makes them.

Under MSE K_TC the card MACs what it really stores over the host's random; only
who holds K_TC can check that (PROTOCOL 1.3, 3). One :class:`AttestedPurse` lasts
from one selection of a purse to the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import choose_answer_key, get_challenge
from cardlib.codec.files import EF_GRANT, EF_SPEND, KeyId, PurseFile
from cardlib.codec.purse import EMPTY_GRANT, Info, Spend
from cardlib.dialogues.secured import SecuredWriter
from cardlib.dialogues.volley import Answers, Volley
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import PurseKeys
from cardlib.keys.grants import SignedGrant
from cardlib.keys.module import GrantReading
from cardlib.keys.suites import suite_of
from cardlib.ports import Randomness
from cardlib.wire.entry_body import AttestedRead


@dataclass(frozen=True, slots=True)
class AttestedSpend:
    """An EF.SPEND record with the card's certificate; ``spend`` is None when empty or torn."""

    read: AttestedRead
    spend: Spend | None

    @property
    def record(self) -> bytes:
        """The 54 bytes at rest."""
        return self.read.record


class AttestedPurse(SecuredWriter):
    """A selected purse: reads under K_TC, writes under K_LC and K_LR."""

    def __init__(self, info: Info, keys: PurseKeys, randomness: Randomness) -> None:
        super().__init__(suite_of(info.suite), keys.load_command, keys.load_response, randomness)
        self.info = info
        self._keys = keys

    def opening(self) -> Volley:
        """GET CHALLENGE, GIVE RANDOM, MSE SET K_TC; answer one is for ``challenged``."""
        return get_challenge(), self.fresh_random(), choose_answer_key(KeyId.ATTEST)

    def open_spend(self, index: int, answer: Response) -> AttestedSpend:
        """Verifies under K_TC and decrypts; AuthenticityError when the MAC is bad."""
        record, tc = self._open(EF_SPEND, index, answer)
        read = AttestedRead(index, record, self._random, tc)
        keys = (self._keys.debit.record, *self._keys.older_records)
        opened = (records.open_spend(key, record) for key in keys)
        return AttestedSpend(read, next((spend for spend in opened if spend), None))

    def open_grant(self, number: int, answer: Response) -> GrantReading:
        """Verifies under K_TC and decrypts; the issuer's signature is still to be checked."""
        record, _ = self._open(EF_GRANT, number, answer)
        signed = records.open_grant(self._keys.debit.record, record)
        return GrantReading(number, record, signed)

    def open_spends(self, indices: Iterable[int], answers: Answers) -> list[AttestedSpend]:
        """Answers of :func:`read_spends`, in order."""
        return [self.open_spend(index, item) for index, item in zip(indices, answers, strict=True)]

    def open_grants(self, answers: Answers) -> tuple[GrantReading, ...]:
        """Answers of :func:`read_all_grants`, in order."""
        numbers = range(1, EF_GRANT.records + 1)
        pairs = zip(numbers, answers, strict=True)
        return tuple(self.open_grant(number, item) for number, item in pairs)

    def seal_grant(self, signed: SignedGrant | None) -> bytes:
        """The 95 bytes that hold the grant at rest, or the empty record."""
        if signed is None:
            return EMPTY_GRANT
        return records.seal_grant(self._keys.debit.record, signed)

    def _open(self, file: PurseFile, number: int, answer: Response) -> tuple[bytes, bytes]:
        command = read_record(file, number)
        size = file.record_size
        record = secure_messaging.open_record_answer(
            self._suite, self._keys.attest, self._random, command, answer, size
        )
        return record, secure_messaging.split_record_answer(answer, size)[1]


def read_record(file: PurseFile, number: int) -> Command:
    """READ RECORD of EF.SPEND or EF.GRANT under secure messaging."""
    return secure_messaging.read_record_command(number, file.read_p2, file.record_size)


def read_spends(indices: Iterable[int]) -> Volley:
    """READ RECORD of several EF.SPEND records."""
    return tuple(read_record(EF_SPEND, index) for index in indices)


def read_all_grants() -> Volley:
    """READ RECORD of all eight EF.GRANT records: a backend never trusts the map."""
    return tuple(read_record(EF_GRANT, number) for number in range(1, EF_GRANT.records + 1))
