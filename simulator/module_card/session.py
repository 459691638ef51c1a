"""What the module forgets without power: the PIN, the newest intent, one conversation.

A conversation with a purse is the module rule of PROTOCOL 3 on a chip: INFO and the
purse's challenge first, then the host random is made; a record counts as read only when
its MAC over that random was good; one UPDATE for the challenge, none before a valid
newest record was read.
"""

from dataclasses import dataclass, field

from cardlib.codec.files import EF_SPEND
from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.purse import Info, Spend
from simulator.card import crypto
from simulator.card.refusal import Refusal
from simulator.module_card import intent as intents
from simulator.module_card import records
from simulator.module_card.intent import Intent
from simulator.module_card.records import DebitKeys
from simulator.module_card.refusals import refuse_unless

SPEND_ANSWER, GRANT_ANSWER = 1, 2


@dataclass(slots=True, repr=False)
class Conversation:
    """One challenge of one purse, one random of ours, at most one UPDATE."""

    info: Info
    challenge: bytes | None
    random: bytes
    keys: DebitKeys
    suite: crypto.Suite
    read: dict[int, tuple[bytes, Spend | None]] = field(default_factory=dict)
    updated: bool = False

    def open_answer(self, kind: int, number: int, answer: bytes) -> bytes | None:
        """A record in clear, its MAC verified; None when it does not decrypt."""
        file = records.FILES[kind]
        record = records.record_in(
            self.suite, self.keys.response, self.random, file, number, answer
        )
        if kind == GRANT_ANSWER:
            return records.open_grant(self.keys.record, record)
        spend = records.open_spend(self.keys.record, record)
        self.read[number] = (record, spend)
        return None if spend is None else bytes(spend)

    def newest(self) -> tuple[bytes, Spend]:
        """The newest valid record; NOT_FRESH unless it and all above it were read here."""
        for number in range(1, EF_SPEND.records + 1):
            if number not in self.read:
                break
            record, spend = self.read[number]
            if spend is not None:
                return record, spend
        raise Refusal(ModuleStatus.NOT_FRESH)

    def check(self, intent: Intent, terminal: int) -> None:
        """Refuses an intent that may not be written to this purse now."""
        refuse_unless(self.challenge is not None, ModuleStatus.NOT_FRESH)
        record, spend = self.newest()
        same = (intent.info_core, intent.newest_record) == (self.info.core, record)
        refuse_unless(same, ModuleStatus.OTHER_CARD)
        intents.check_follows(intent, spend, terminal)

    def update(self, intent: Intent) -> bytes:
        """The data of the one UPDATE RECORD; the challenge is gone afterwards."""
        challenge, self.challenge = self.challenge, None
        assert challenge is not None  # ``check`` comes first
        self.updated = True
        record = records.seal_spend(self.keys.record, intent.plan)
        return records.update_data(self.suite, self.keys.command, challenge, record)

    def confirms(self, answer: bytes) -> bool:
        """Whether the purse's answer to the UPDATE carries the right MAC."""
        refuse_unless(self.updated, ModuleStatus.NOT_FRESH)
        return records.is_confirmation(self.suite, self.keys.response, self.random, answer)


@dataclass(slots=True, repr=False)
class Session:
    """Everything since power-up."""

    selected: bool = False
    pin_verified: bool = False
    intent: Intent | None = None
    conversation: Conversation | None = None
    chain: bytes = b""
    chain_header: bytes = b""
