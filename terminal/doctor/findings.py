"""What a check says, and how it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cardlib.text import catalogue

TABLE, MEND = "doctor", "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, whether it is in order, and the code that says what to do.

    ``detail`` is what was found, in no language; ``facts`` fill sentence and command.
    """

    check: str
    ok: bool
    code: str = ""
    detail: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    def sentence(self, lang: str) -> str:
        """What happened and what to do; nothing where all is well."""
        return catalogue.sentence(self.code, lang, **self.facts) if self.code else ""

    def mend(self, lang: str) -> str:
        """The command that mends it, one or more lines; nothing where none can."""
        known = self.code in catalogue.load(lang).get(MEND, {})
        return catalogue.label(MEND, self.code, lang, **self.facts) if known else ""


def found(check: str, detail: object = "") -> Finding:
    """All is well."""
    return Finding(check, ok=True, detail=str(detail))


def lacking(check: str, code: str, detail: object = "", **facts: str | int) -> Finding:
    """Something is missing."""
    return Finding(check, ok=False, code=code, detail=str(detail), facts=facts)


def describe(finding: Finding, lang: str) -> str:
    """One line, and under a missing part the sentence with its command."""
    state = catalogue.label(TABLE, "in_order" if finding.ok else "missing", lang)
    name = catalogue.label(TABLE, finding.check, lang)
    word = catalogue.label(TABLE, f"said_{finding.detail}", lang) if finding.detail else ""
    detail = finding.detail if word == f"said_{finding.detail}" else word
    lines = [f"{state:<11} {name}" + (f" ({detail})" if detail else "")]
    if finding.code:
        lines.append(f"  {finding.sentence(lang)}")
    if mend := finding.mend(lang):
        first, *rest = mend.splitlines()
        lines += [f"  $ {first}", *(f"    {line}" for line in rest)]
    return "\n".join(lines)


def as_object(finding: Finding, lang: str) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "check": finding.check,
        "ok": finding.ok,
        "code": finding.code,
        "detail": finding.detail,
        "message": finding.sentence(lang),
        "mend": finding.mend(lang),
    }
