"""The slots: which card is in, and what stands between it and its reader."""

from rich.text import Text
from textual.widgets import Static

from simulator.panel import keys
from simulator.panel.views import FaultView, SlotView, Wording

_FAULTS_WIDTH = 27
_KEYS = {item.action: item.printed for item in keys.FAULTS}


class SlotLines(Static):
    """Two lines a slot; an arrow before the one that the fault keys mean.

    Faults for which a line has no room are told by their keys, in brackets once they struck.
    """

    def __init__(self, wording: Wording) -> None:
        super().__init__()
        self._wording = wording
        self.border_title = wording("slots")

    def show(self, slots: tuple[SlotView, ...], active: int) -> None:
        """Shows the slots anew."""
        lines: list[Text] = []
        for slot in slots:
            lines += self._lines(slot, active=slot.number == active)
        self.update(Text("\n").join(lines))

    def _lines(self, slot: SlotView, *, active: bool) -> list[Text]:
        say = self._wording
        mark = "▸" if active else " "
        card = (slot.card, "bold") if slot.card else (say("empty"), "dim")
        head = Text.assemble(f"{mark}{slot.number} ", card)
        return [head, Text(f"   {self._faults(slot)}", "" if slot.faults else "dim")]

    def _faults(self, slot: SlotView) -> str:
        say = self._wording
        told = ", ".join(self._fault(fault) for fault in slot.faults) or say("no_faults")
        if len(told) <= _FAULTS_WIDTH:
            return told
        return say("faults_many", keys=" ".join(_key(fault) for fault in slot.faults))

    def _fault(self, fault: FaultView) -> str:
        say = self._wording
        name = say(f"fault_{fault.name.replace('-', '_')}")
        return name if not fault.struck else say("fault_struck", fault=name)


def _key(fault: FaultView) -> str:
    key = _KEYS.get(f"fault('{fault.name}')", fault.name)
    return f"({key})" if fault.struck else key
