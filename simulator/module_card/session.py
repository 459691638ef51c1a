"""What the module forgets without power: the PIN, the newest intent, one conversation."""

from dataclasses import dataclass

from simulator.module_card.applet import AppletConversation
from simulator.module_card.conversation import Conversation
from simulator.module_card.intent import Intent


@dataclass(slots=True, repr=False)
class Session:
    """Everything since power-up."""

    selected: bool = False
    pin_verified: bool = False
    intent: Intent | None = None
    conversation: Conversation | AppletConversation | None = None
    chain: bytes = b""
    chain_header: bytes = b""
