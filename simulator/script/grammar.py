"""The language of scripts: one line, one step; ``#`` begins a remark.

Words may be written in any case; names of cards may not. Every form stands in FORMS, with
an example that is a test, too.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulator.errors import ScriptError

_SLOT = r"(?: (?:in|from|of)? ?slot (?P<slot>\d+))?"
_TIME = r"(?P<seconds>\d+(?:\.\d+)?) ?(?P<unit>s|ms)"
_NAME = r"(?P<name>\S+)"


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of line: the player's action, a pattern, an example."""

    action: str
    pattern: str
    example: str


FORMS = (
    Form("new_card", rf"new card {_NAME}(?: (?P<mask>\S+))?", "new card anna white"),
    Form("insert", rf"insert (?:card )?{_NAME}{_SLOT}", "insert card anna in slot 1"),
    Form("remove", rf"remove(?: card)?{_SLOT}", "remove from slot 1"),
    Form("insert", rf"swap to {_NAME}{_SLOT}", "swap to bruno"),
    Form("put_back", rf"put back{_SLOT}", "put back"),
    Form("reset", rf"reset{_SLOT}", "reset slot 1"),
    Form("wait", rf"wait {_TIME}", "wait 6 s"),
    Form("wait_for", rf"wait for (?P<command>.+?) within {_TIME}{_SLOT}",
         "wait for UPDATE RECORD within 30 s"),
    Form("fault_at", rf"at (?P<command>[a-z ]+?)(?: (?P<number>\d+))? "
         r"(?P<fault>tear|mute|reset|answer|wrong|replay|hold|forge|longer|shorter|endless|old)"
         rf"(?P<how>(?: [a-z0-9]+)*?){_SLOT}",
         "at UPDATE RECORD 2 tear after"),
    Form("fault_from_now_on", rf"from now on (?P<fault>.+?){_SLOT}", "from now on slow 0.5 s"),
    Form("fault", rf"fault {_NAME}{_SLOT}", "fault tear-damaged-new:DC:1"),
    Form("disarm", rf"no faults{_SLOT}", "no faults"),
    Form("release", rf"release{_SLOT}", "release"),
    Form("read", rf"read{_SLOT}", "read"),
    Form("verify", rf"verify (?P<pin>\d+){_SLOT}", "verify 12345"),
    Form("send", rf"send (?P<apdu>(?:[0-9a-f]{{2}} ?)+?){_SLOT}", "send 00A4080C041200B001"),
    Form("expect_wallet", rf"expect wallet (?P<wallet>[1-6]) (?P<amount>\d+(?:[.,]\d\d)?)"
         rf"(?: eur)?{_SLOT}", "expect wallet 1 100.00 EUR"),
    Form("expect", r"expect (?P<outcome>[a-z0-9_]+)", "expect PIN_WRONG"),
    Form("say", r"say (?P<text>.+)", "say the card is in"),
)  # fmt: skip
_COMPILED = [(form, re.compile(form.pattern, re.IGNORECASE)) for form in FORMS]


@dataclass(frozen=True, slots=True)
class Step:
    """One line understood: ``words`` are the parts that its form names."""

    line: int
    text: str
    action: str
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def slot(self) -> int:
        """The slot that it names, 1 where it names none."""
        return int(self.words.get("slot", "1"))

    @property
    def seconds(self) -> float:
        """The time that it names."""
        return float(self.words["seconds"]) / (1000 if self.words["unit"].lower() == "ms" else 1)


def parse(lines: Iterable[str]) -> list[Step]:
    """All steps of a script; ScriptError ``SCRIPT_LINE`` names the first bad line."""
    steps = []
    for number, line in enumerate(lines, 1):
        text = " ".join(line.split("#", 1)[0].split())
        if text:
            steps.append(_step(number, text))
    return steps


def _step(number: int, text: str) -> Step:
    for form, pattern in _COMPILED:
        found = pattern.fullmatch(text)
        if found:
            words = {name: part for name, part in found.groupdict().items() if part}
            return Step(number, text, form.action, words)
    raise bad_line(number, text)


def bad_line(number: int, text: str) -> ScriptError:
    """The error for a line that nobody understands, with what begins like it."""
    first = text.split(maxsplit=1)[0].lower()
    alike = [form.example for form in FORMS if form.example.lower().startswith(first)]
    known = "; ".join(dict.fromkeys(alike or (form.example for form in FORMS)))
    return ScriptError("SCRIPT_LINE", line=number, text=text, known=known)
