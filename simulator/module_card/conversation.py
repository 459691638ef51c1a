"""A conversation with a file card or a legacy chip: the module rule of PROTOCOL 3 on a chip.

INFO and the purse's challenge first, then the host random is made; a record counts as
read only when its MAC over that random was good; one UPDATE for the challenge, none
before a valid newest record was read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from cardlib.codec.files import EF_GRANT, EF_SPEND, PurseFile
from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.purse import Info, Spend
from simulator.card import crypto, sealed_records
from simulator.card.refusal import Refusal
from simulator.module_card import intent as intents
from simulator.module_card import records
from simulator.module_card.intent import Intent
from simulator.module_card.records import DebitKeys
from simulator.module_card.refusals import refuse_unless


@dataclass(frozen=True, slots=True)
class Opened:
    """A record whose MAC was good; ``spend`` is None when it is torn or empty."""

    record: bytes
    spend: Spend | None
    other_set: bool = False


@dataclass(slots=True, repr=False)
class Conversation:
    """One challenge of one purse, one random of ours, at most one UPDATE."""

    info: Info
    challenge: bytes | None
    random: bytes
    keys: DebitKeys
    suite: crypto.Suite
    others: tuple[DebitKeys, ...] = ()
    """Keys of the same purse under other key sets: it may be in the middle of a change."""
    read: dict[int, Opened] = field(default_factory=dict)
    updated: bool = False
    legacy_limit: int | None = None
    """Cents of one sale, where the chip forgets its challenge at each read; None elsewhere."""

    def challenged(self, challenge: bytes) -> None:
        """The one challenge of a legacy chip, after the read that decides."""
        expected = self.legacy_limit is not None and self.challenge is None and not self.updated
        refuse_unless(expected, ModuleStatus.NOT_FRESH)
        self.newest()
        self.challenge = challenge

    def open_spend(self, number: int, answer: bytes) -> Opened:
        """An EF.SPEND record, its MAC verified, in clear under whichever key set opens it."""
        record = self._record(EF_SPEND, number, answer)
        opened = Opened(record, sealed_records.open_spend(self.keys.record, record))
        for keys in self.others if opened.spend is None else ():
            spend = sealed_records.open_spend(keys.record, record)
            if spend is not None:
                opened = Opened(record, spend, other_set=True)
        self.read[number] = opened
        return opened

    def open_grant(self, number: int, answer: bytes) -> bytes | None:
        """An EF.GRANT record in clear, its MAC verified; None when it does not decrypt."""
        return sealed_records.open_grant(self.keys.record, self._record(EF_GRANT, number, answer))

    def newest(self) -> Opened:
        """The newest valid record; NOT_FRESH unless it and all above it were read here."""
        for number in range(1, EF_SPEND.records + 1):
            if number not in self.read:
                break
            if self.read[number].spend is not None:
                return self.read[number]
        raise Refusal(ModuleStatus.NOT_FRESH)

    def check(self, intent: Intent, terminal: int) -> None:
        """Refuses an intent that may not be written to this purse now."""
        refuse_unless(self.challenge is not None, ModuleStatus.NOT_FRESH)
        newest = self.newest()
        refuse_unless(not newest.other_set, ModuleStatus.BEING_RENEWED)
        same = (intent.info_core, intent.newest_record) == (self.info.core, newest.record)
        refuse_unless(same, ModuleStatus.OTHER_CARD)
        assert newest.spend is not None
        refuse_unless(self._within_limit(intent), ModuleStatus.LEGACY_LIMIT)
        intents.check_follows(intent, newest.spend, terminal)

    def update(self, intent: Intent) -> bytes:
        """The data of the one UPDATE RECORD; the challenge is gone afterwards."""
        challenge, self.challenge = self.challenge, None
        assert challenge is not None  # ``check`` comes first
        self.updated = True
        record = sealed_records.seal_spend(self.keys.record, intent.plan)
        return records.update_data(self.suite, self.keys.command, challenge, record)

    def confirms(self, answer: bytes) -> bool:
        """Whether the purse's answer to the UPDATE carries the right MAC."""
        refuse_unless(self.updated, ModuleStatus.NOT_FRESH)
        return records.is_confirmation(self.suite, self.keys.response, self.random, answer)

    def _within_limit(self, intent: Intent) -> bool:
        return self.legacy_limit is None or 0 <= intent.cents <= self.legacy_limit != 0

    def _record(self, file: PurseFile, number: int, answer: bytes) -> bytes:
        """BEING_RENEWED when the MAC is another key set's, NOT_GENUINE when it is nobody's."""

        def verified(keys: DebitKeys) -> bytes:
            return records.record_in(self.suite, keys.response, self.random, file, number, answer)

        try:
            return verified(self.keys)
        except Refusal:
            others = any(_passes(verified, keys) for keys in self.others)
            refuse_unless(not others, ModuleStatus.BEING_RENEWED)
            raise


def _passes(verified: Callable[[DebitKeys], bytes], keys: DebitKeys) -> bool:
    try:
        verified(keys)
    except Refusal:
        return False
    return True
