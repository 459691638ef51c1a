"""Lines of the report that stand on the screen and on paper alike."""

from collections.abc import Mapping

from backend.verifier.audit import Verdict
from backend.verifier.evidence.heads import SOURCES
from backend.verifier.findings import CAUSES_FIRST, Law, Place
from backend.verifier.report.texts import Texts

_GROUP, _GROUPS = 4, 4


def count_shown(name: str, count: int, texts: Texts) -> str:
    """A number of the report; amounts with two decimals."""
    return texts.money(count) if name.endswith("_cents") else str(count)


def head_words(head: tuple[int, bytes]) -> str:
    """A ledger head as it stands on slips and statements: number, 8 bytes in groups of four."""
    text = head[1].hex().upper()
    return " ".join(text[at : at + _GROUP] for at in range(0, _GROUP * _GROUPS, _GROUP))


def position_lines(verdict: Verdict, texts: Texts) -> list[str]:
    """Up to which transfer the verdict holds, and whose signatures bind the ledger up to where."""
    if not verdict.counts:
        return []
    last = verdict.position[0]
    lines = [texts.word("position_all", transfer=last, head=head_words(verdict.position))]
    for source in SOURCES:
        held = verdict.held.get(source)
        if held is not None:
            word = f"position_held_{source}"
            lines.append(texts.word(word, transfer=held[0], head=head_words(held)))
    bound = max((number for number, _ in verdict.held.values()), default=0)
    if not verdict.held:
        lines.append(texts.word("position_none"))
    elif bound < last:
        lines.append(texts.word("position_after", first=bound + 1, last=last))
    return lines


def key_labels(verdict: Verdict, texts: Texts) -> list[tuple[str, str]]:
    """Whose key, and the key: of the operator by its id, of issuers by code and number."""
    parts = ((name.partition(" "), key) for name, key in verdict.keys.items())
    return [(f"{texts.word(role)} {rest}", key) for (role, _, rest), key in parts]


def journal_lines(verdict: Verdict, texts: Texts) -> list[str]:
    """How far each journal reaches: number and hash of its last entry."""
    return [
        texts.word("journal", terminal=number, seq=head[0], head=head_words(head))
        for number, head in sorted(verdict.journals.items())
    ]


def trusted_lines(verdict: Verdict, texts: Texts) -> list[str]:
    """What had to be taken on trust, with how often."""
    return [
        f"{count} {texts.of('trusted', code)}{_about(verdict.findings.about.get(code, {}))}"
        for code, count in sorted(verdict.findings.trusted.items())
    ]


def _about(things: Mapping[str, int]) -> str:
    """What that is about, with how often each."""
    told = ", ".join(f"{thing}: {count}" for thing, count in things.items())
    return f" [{told}]" if told else ""


def where(place: Place, texts: Texts) -> str:
    """A place in words: file, line, terminal, number, document."""
    parts = [place.file]
    if place.line is not None:
        parts.append(texts.word("line", line=place.line))
    if place.terminal is not None:
        parts.append(texts.word("terminal", terminal=place.terminal))
    if place.seq is not None:
        parts.append(texts.word("seq", seq=place.seq))
    if place.document is not None:
        parts.append(place.document)
    return ", ".join(parts)


def conclusion(verdict: Verdict, texts: Texts) -> str:
    """The verdict in a sentence or two."""
    if verdict.holds:
        return texts.word("passed")
    broken = [law for law in CAUSES_FIRST if verdict.findings.breaks(law)]
    laws = ", ".join(
        f"{texts.word('law')} {law.value}" if law else texts.word("export_only") for law in broken
    )
    told = texts.word("failed", count=len(verdict.findings), laws=laws)
    if Law.EXPORT in broken:
        told += " " + texts.word("damaged")
    elif len(broken) > 1 and broken[-1] is Law.CONSERVATION:
        told += " " + texts.word("follows")
    return told
