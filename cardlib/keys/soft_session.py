"""A session of a software module with one file card: one challenge, one random, one UPDATE.

The module rule of PROTOCOL 3, in code: what is verified before anything is MACed.
"""

from contextlib import suppress

from cardlib.codec.apdu import Command, Response
from cardlib.codec.files import EF_GRANT, EF_SPEND, EF_SPEND_APPEND_P2
from cardlib.codec.purse import INFO_CORE_SIZE, Info
from cardlib.errors import AuthenticityError, PurseRefusedError
from cardlib.keys import records, secure_messaging
from cardlib.keys.derivation import DebitKeys
from cardlib.keys.intent_rule import check_follows, planned_spend
from cardlib.keys.module import GrantReading, SpendReading
from cardlib.keys.suites import suite_of
from cardlib.wire.ed25519 import PublicKey
from cardlib.wire.entry import Entry, decode_entry
from cardlib.wire.entry_body import Intent


class SoftSession:
    """One challenge, one random, at most one UPDATE.

    ``other_sets``: keys of the same purse under other key sets that the module holds. A
    card that answers with them is in the middle of a key-set change (PROTOCOL 2).
    """

    def __init__(
        self,
        info: Info,
        challenge: bytes,
        random: bytes,
        keys: DebitKeys,
        terminal: PublicKey,
        other_sets: tuple[DebitKeys, ...] = (),
    ) -> None:
        self.random = random
        self._info = info
        self._challenge: bytes | None = challenge
        self._keys = keys
        self._other_sets = other_sets
        self._suite = suite_of(info.suite)
        self._terminal = terminal
        self._readings: dict[int, SpendReading] = {}
        self._update: Command | None = None

    def open_spend(self, index: int, response: Response) -> SpendReading:
        """Verifies, remembers and decrypts one EF.SPEND record."""
        record = self._open(index, EF_SPEND.read_p2, response, EF_SPEND.record_size)
        spend, older = records.open_spend(self._keys.record, record), None
        if spend is None:
            opened = (records.open_spend(keys.record, record) for keys in self._other_sets)
            older = next((item for item in opened if item is not None), None)
        reading = SpendReading(index, record, spend or older, older is not None)
        self._readings[index] = reading
        return reading

    def open_grant(self, number: int, response: Response) -> GrantReading:
        """Verifies and decrypts one EF.GRANT record."""
        record = self._open(number, EF_GRANT.read_p2, response, EF_GRANT.record_size)
        return GrantReading(number, record, records.open_grant(self._keys.record, record))

    def update_spend(self, intent: bytes) -> Command:
        """The one UPDATE RECORD; a second call is refused."""
        entry, body = own_intent(intent, self._terminal)
        newest = self._newest()
        if self._challenge is None or newest is None or newest.spend is None:
            raise AuthenticityError("MODULE_NO_FRESH_READ")
        if newest.other_set:
            raise PurseRefusedError("CARD_BEING_RENEWED")
        if body.info_core != self._info.core or body.newest_record != newest.record:
            raise AuthenticityError("MODULE_OTHER_CARD")
        spend = planned_spend(entry, body)
        check_follows(body, spend, newest.spend, newest.record)
        challenge, self._challenge = self._challenge, None
        plain = Command(
            0x00, 0xDC, 0, EF_SPEND_APPEND_P2, records.seal_spend(self._keys.record, spend)
        )
        self._update = secure_messaging.protect(self._suite, self._keys.command, challenge, plain)
        return self._update

    def update_confirmed(self, response: Response) -> bool:
        """Checks the answer's MAC over this session's random."""
        if self._update is None:
            return False
        return secure_messaging.write_confirmed(
            self._suite, self._keys.response, self.random, self._update, response
        )

    def _open(self, number: int, read_p2: int, response: Response, size: int) -> bytes:
        """The record; PurseRefusedError ``CARD_BEING_RENEWED`` when another key set answers."""
        command = secure_messaging.read_record_command(number, read_p2, size)

        def opened(keys: DebitKeys) -> bytes:
            return secure_messaging.open_record_answer(
                self._suite, keys.response, self.random, command, response, size
            )

        try:
            return opened(self._keys)
        except AuthenticityError:
            for keys in self._other_sets:
                with suppress(AuthenticityError):
                    opened(keys)
                    raise PurseRefusedError("CARD_BEING_RENEWED") from None
            raise

    def _newest(self) -> SpendReading | None:
        """The first record from #1 that decrypts, when all above it were read and are torn."""
        for index in range(1, EF_SPEND.records + 1):
            reading = self._readings.get(index)
            if reading is None or reading.spend is not None:
                return reading
        return None


def own_intent(intent: bytes, terminal: PublicKey) -> tuple[Entry, Intent]:
    """Decodes an intent that ``terminal`` signed; AuthenticityError for anything else."""
    entry = decode_entry(intent)
    entry.verify(terminal)
    if not isinstance(entry.body, Intent) or len(entry.body.info_core) != INFO_CORE_SIZE:
        raise AuthenticityError("MODULE_NO_INTENT")
    return entry, entry.body
