"""What the operator's order still allows, counted before a MAC leaves (docs/module-card.md, 6)."""

from cardlib.codec.module_card import ModuleStatus
from simulator.module_card.intent import Intent
from simulator.module_card.memory import ModuleMemory
from simulator.module_card.module import Module
from simulator.module_card.refusals import refuse_unless


def require_allowed(memory: ModuleMemory, intent: Intent) -> None:
    """Refuses a debit beyond the order; one that was counted before is not counted again."""
    if intent.hash == memory.counted:
        return
    may = memory.allowance
    within = not may.ceiling or intent.cents <= may.ceiling
    refuse_unless(within, ModuleStatus.DEBIT_CEILING)
    left = memory.debits < may.debits_max and memory.cents + intent.cents <= may.cents_max
    refuse_unless(left, ModuleStatus.QUOTA_USED_UP)


def count(module: Module, intent: Intent) -> None:
    """Counts a debit, durably; once, however often it is retried."""
    memory = module.memory
    require_allowed(memory, intent)
    if intent.hash == memory.counted:
        return
    memory.debits, memory.cents = memory.debits + 1, memory.cents + intent.cents
    memory.counted = intent.hash
    module.commit()
