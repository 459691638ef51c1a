"""What an audit says: a page for people, one JSON object for programs."""

from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.verifier.audit import Verdict
from backend.verifier.findings import CAUSES_FIRST, Finding, Law, Place
from backend.verifier.heads import SOURCES
from backend.verifier.texts import Texts

_GROUP, _GROUPS = 4, 4


def as_json(verdict: Verdict, texts: Texts) -> dict[str, Any]:
    """The whole verdict as one object; sentences in the chosen language."""
    findings = verdict.findings
    return {
        "ok": verdict.holds,
        "operator": verdict.operator,
        "created_at": verdict.created_at,
        "laws": {
            str(law.value): {"status": verdict.status(law), "findings": findings.breaks(law)}
            for law in Law
        },
        "counts": verdict.counts,
        "trusted": dict(findings.trusted),
        "keys": verdict.keys,
        "ledger": _head(verdict.position),
        "held": {source: _head(head) for source, head in verdict.held.items()},
        "journals": {
            str(number): {"seq": seq, "hash": digest.hex()}
            for number, (seq, digest) in sorted(verdict.journals.items())
        },
        "findings": [_finding(item, texts) for item in findings],
        "untold": findings.untold(),
    }


def _head(head: tuple[int, bytes]) -> dict[str, int | str]:
    return {"transfer": head[0], "hash": head[1].hex()}


def _finding(item: Finding, texts: Texts) -> dict[str, Any]:
    place = item.place
    return {
        "law": item.law.value,
        "code": item.code,
        "file": place.file,
        "line": place.line,
        "terminal": place.terminal,
        "seq": place.seq,
        "document": place.document,
        "facts": dict(item.facts),
        "means": texts.says(item.code, item.facts),
        "do": texts.do(item.code),
    }


def show(verdict: Verdict, texts: Texts, console: Console) -> None:
    """Prints the page."""
    if verdict.counts:
        moment = datetime.fromtimestamp(verdict.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        title = texts.word("title", operator=verdict.operator, created_at=moment)
        console.print(Text(title, style="bold"))
    console.print(_laws(verdict, texts))
    _show_list(texts.word("position"), position_lines(verdict, texts), console)
    _show_counts(verdict, texts, console)
    _show_list(texts.word("trusted"), trusted_lines(verdict, texts), console)
    _show_list(texts.word("keys"), [f"{k}  {v}" for k, v in key_labels(verdict, texts)], console)
    _show_list(texts.word("journals"), journal_lines(verdict, texts), console)
    for item in verdict.findings:
        _show_finding(item, texts, console)
    for code, count in verdict.findings.untold().items():
        console.print(Text(texts.word("more", count=count, code=code)))
    style = "bold green" if verdict.holds else "bold red"
    console.print(Text("\n" + conclusion(verdict, texts), style=style))


def _laws(verdict: Verdict, texts: Texts) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(texts.word("law"))
    table.add_column(texts.word("status"))
    table.add_column(texts.word("findings"), justify="right")
    for law in Law:
        status = verdict.status(law)
        name = texts.of("laws", str(law.value))
        style = {"proved": "green", "disproved": "bold red"}.get(status, "yellow")
        table.add_row(
            Text(f"{law.value}  {name}" if law.value else f"-  {name}"),
            Text(texts.of("status", status), style=style),
            str(verdict.findings.breaks(law) or ""),
        )
    return table


def _show_counts(verdict: Verdict, texts: Texts, console: Console) -> None:
    if not verdict.counts:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, count in verdict.counts.items():
        table.add_row(texts.of("counts", name), count_shown(name, count, texts))
    console.print(Text("\n" + texts.word("counts"), style="bold"))
    console.print(table)


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
        f"{count} {texts.of('trusted', code)}"
        for code, count in sorted(verdict.findings.trusted.items())
    ]


def _show_list(title: str, lines: list[str], console: Console) -> None:
    if lines:
        console.print(Text("\n" + title, style="bold"))
    for line in lines:
        console.print(Text("  " + line))


def _show_finding(item: Finding, texts: Texts, console: Console) -> None:
    law = f"{texts.word('law')} {item.law.value}" if item.law else texts.word("export_only")
    console.print(Text(f"\n{law}  {item.code}  {where(item.place, texts)}", style="bold"))
    console.print(Text("  " + texts.says(item.code, item.facts)))
    console.print(Text(f"  {texts.word('do')}: {texts.do(item.code)}"))


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
    if len(broken) > 1 and broken[-1] is Law.CONSERVATION:
        told += " " + texts.word("follows")
    return told
