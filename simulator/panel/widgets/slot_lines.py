"""The slots: which card is in, and what stands between it and its reader."""

from rich.text import Text
from textual.widgets import Static

from simulator.panel.views import FaultView, SlotView, Wording


class SlotLines(Static):
    """Two lines a slot; an arrow before the one that the fault keys mean."""

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
        faults = ", ".join(self._fault(fault) for fault in slot.faults) or say("no_faults")
        return [head, Text(f"   {faults}", "" if slot.faults else "dim")]

    def _fault(self, fault: FaultView) -> str:
        say = self._wording
        name = say(f"fault_{fault.name.replace('-', '_')}")
        return name if not fault.struck else say("fault_struck", fault=name)
