"""A card in the attacker's own reader, with the leaked keys of a shop (M_DEBIT) and its PIN.

Everything goes through the chip: what it refuses does not happen.
"""

from cardlib.codec.apdu import Command, Response
from cardlib.codec.commands import (
    INS_UPDATE_RECORD,
    choose_answer_key,
    get_challenge,
    give_random,
    select_purse,
    verify_pin,
)
from cardlib.codec.files import (
    DF_BUONO_FIRST,
    DF_SERVICES,
    EF_GRANT,
    EF_SPEND,
    EF_SPEND_APPEND_P2,
    KeyId,
)
from cardlib.codec.pin import Pin
from cardlib.codec.purse import Info, Spend, Totals
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.grants import SignedGrant
from cardlib.keys.intent_rule import PREV_SIZE, record_hash
from cardlib.keys.suites import suite_of
from cardlib.wire.entry_body import AttestedRead
from cardlib.wire.ids import PurseId
from simulator.card.filesystem import Directory
from simulator.connection import InProcessConnection
from simulator.town.actors.citizen import Citizen
from simulator.town.state import Town


class OpenedCard:
    """The purse of ``citizen`` as somebody with a shop's keys sees it, and may write it."""

    def __init__(self, town: Town, citizen: Citizen) -> None:
        self._world = town
        self.citizen = citizen
        info_file = self._directory.file_by_sfi(1)
        assert info_file is not None
        self.info = Info.decode(info_file.content)
        self.keys = DebitKeys.derive(
            town.masters(self.info.issuer, self.info.key_set).debit, self.info
        )
        self.suite = suite_of(self.info.suite)

    @property
    def _directory(self) -> Directory:
        found = self.citizen.card.memory.find((DF_SERVICES, DF_BUONO_FIRST))
        assert found is not None
        return found

    @property
    def purse(self) -> PurseId:
        """Whose it is."""
        return PurseId(self.info.issuer, self.info.purse)

    @property
    def newest_record(self) -> bytes:
        """The newest record that decrypts."""
        file = self._directory.file_by_sfi(EF_SPEND.sfi)
        assert file is not None
        return next(item for item in file.records if records.open_spend(self.keys.record, item))

    @property
    def newest(self) -> Spend:
        """The same in clear."""
        spend = records.open_spend(self.keys.record, self.newest_record)
        assert spend is not None
        return spend

    @property
    def grants(self) -> dict[int, SignedGrant]:
        """The grant that wins each slot."""
        file, found = self._directory.file_by_sfi(EF_GRANT.sfi), dict[int, SignedGrant]()
        assert file is not None
        for record in file.records:
            signed = records.open_grant(self.keys.record, record) if any(record) else None
            if signed is not None:
                slot = signed.grant.slot
                other = found.get(slot)
                if other is None or other.grant.grant_seq < signed.grant.grant_seq:
                    found[slot] = signed
        return found

    def free_grant_record(self) -> int:
        """Number of an empty record of EF.GRANT."""
        file = self._directory.file_by_sfi(EF_GRANT.sfi)
        assert file is not None
        return next(number for number, item in enumerate(file.records, 1) if not any(item))

    def balance(self, slot: int) -> int:
        """Cents that a till would show."""
        signed = self.grants.get(slot)
        return signed.grant.granted_total - self.newest.spent[slot - 1] if signed else 0

    @property
    def worth(self) -> int:
        """All slots together."""
        return sum(self.balance(slot) for slot in self.grants)

    @property
    def base(self) -> Totals:
        """The totals over which the live grants were signed; others as they are."""
        held = self.grants
        s1, s2, s3, s4, s5, s6 = (
            held[slot].grant.base_spent if slot in held else spent
            for slot, spent in enumerate(self.newest.spent, start=1)
        )
        return s1, s2, s3, s4, s5, s6

    @property
    def link(self) -> bytes:
        """What a record that follows names as ``prev``."""
        return record_hash(self.newest_record)[:PREV_SIZE]

    # on the reader ------------------------------------------------------------------------------

    def write(self, spend: Spend) -> int:
        """UPDATE RECORD of EF.SPEND under K_DC, after the PIN if known; the chip's status word."""
        return self.send_secured(
            Command(
                0,
                INS_UPDATE_RECORD,
                0,
                EF_SPEND_APPEND_P2,
                records.seal_spend(self.keys.record, spend),
            )
        )

    def send_secured(self, plain: Command, key: bytes = b"") -> int:
        """A secured command, under K_DC or another stolen ``key``; the chip's status word."""
        line = self._insert()
        challenge = _send(line, get_challenge()).data
        _send(line, give_random(self._random()))
        if self.citizen.pin:
            _send(line, verify_pin(Pin(self.citizen.pin)))
        secured = secure_messaging.protect(self.suite, key or self.keys.command, challenge, plain)
        status = _send(line, secured).status
        line.reset()
        return status

    def attest(self, index: int = 1) -> AttestedRead:
        """What the chip answers under K_TC for a fresh random."""
        line, random = self._insert(), self._random()
        _send(line, give_random(random))
        _send(line, choose_answer_key(KeyId.ATTEST))
        read = secure_messaging.read_record_command(index, EF_SPEND.read_p2, EF_SPEND.record_size)
        record, tc = secure_messaging.split_record_answer(_send(line, read), EF_SPEND.record_size)
        line.reset()
        return AttestedRead(index, record, random, tc)

    def _insert(self) -> InProcessConnection:
        line = self.citizen.line()
        line.reset()
        _send(line, select_purse(DF_BUONO_FIRST))
        return line

    def _random(self) -> bytes:
        return self._world.randomness.bytes(8)


def _send(line: InProcessConnection, command: Command) -> Response:
    return Response.decode(line.transmit(bytes(command)))
