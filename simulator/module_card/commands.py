"""The commands of the module by instruction (docs/module-card.md).

A handler gets the module and the command whole (chaining is undone before), returns the
answer's data and refuses with a status word. What it changes is saved before the answer.
"""

from cardlib.codec.module_applet import INS_OPEN_APPLET, INS_OPEN_STATE
from cardlib.codec.module_card import Ins
from simulator.module_card import debits, service
from simulator.module_card.module import Handler

HANDLERS: dict[int, Handler] = {
    Ins.GET_MODULE: service.get_module,
    Ins.SIGN: service.sign,
    Ins.INSTALL: service.install,
    Ins.ORDER: service.order,
    Ins.STATE: service.state,
    Ins.TAKE_KEYS: service.take_keys,
    Ins.KEY_SETS: service.key_sets,
    Ins.SERVES: debits.serves,
    Ins.OPEN: debits.open_session,
    Ins.OPEN_RECORD: debits.open_record,
    Ins.INTENT: debits.take_intent,
    Ins.RECORD: debits.record,
    Ins.UPDATE: debits.update,
    Ins.CONFIRM: debits.confirm,
    Ins.CHALLENGED: debits.challenged,
    INS_OPEN_APPLET: debits.open_applet,
    INS_OPEN_STATE: debits.open_state,
}
WITHOUT_PIN = frozenset({Ins.GET_MODULE})
P1_MATTERS = frozenset({Ins.SIGN, Ins.OPEN, Ins.OPEN_RECORD})
