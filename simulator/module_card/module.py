"""What a command of the module may use."""

from collections.abc import Callable
from dataclasses import dataclass

from cardlib.codec.apdu import Command
from cardlib.codec.module_card import ModuleStatus
from cardlib.codec.purse import Info
from simulator.card import crypto
from simulator.card.chip import Randomness
from simulator.card.refusal import Refusal
from simulator.module_card import records
from simulator.module_card.applet import AppletConversation
from simulator.module_card.conversation import Conversation
from simulator.module_card.intent import Intent
from simulator.module_card.memory import ModuleMemory
from simulator.module_card.records import DebitKeys
from simulator.module_card.refusals import refuse_unless
from simulator.module_card.session import Session


@dataclass(slots=True)
class Module:
    """What a command may use; ``commit`` saves the memory."""

    memory: ModuleMemory
    session: Session
    randomness: Randomness
    commit: Callable[[], None]

    def require_enrolled(self) -> None:
        """Refuses while no operator has taken the module into service."""
        refuse_unless(self.memory.operator, ModuleStatus.NOT_ENROLLED)

    def keys(self, core: bytes) -> tuple[Info, DebitKeys]:
        """INFO and keys of a purse; NO_KEYS when it is not served."""
        info = records.info_of(core)
        keys = self.memory.keys_for(info) if info.suite in crypto.SUITES else None
        if keys is None:
            raise Refusal(ModuleStatus.NO_KEYS)
        return info, keys

    def conversation(self) -> Conversation | AppletConversation:
        """The one under way; NOT_FRESH when there is none."""
        if self.session.conversation is None:
            raise Refusal(ModuleStatus.NOT_FRESH)
        return self.session.conversation

    def intent(self, hash_: bytes) -> Intent:
        """The intent that the module remembers, if it is this one."""
        known = self.session.intent
        if known is None or known.hash != hash_:
            raise Refusal(ModuleStatus.NO_INTENT)
        return known


Handler = Callable[[Module, Command], bytes]
"""A command whole, chaining undone; the answer's data, or a Refusal."""
