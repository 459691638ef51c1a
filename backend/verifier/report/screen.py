"""The report as a page for people, on a screen."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backend.verifier.audit import Verdict
from backend.verifier.findings import Finding, Law
from backend.verifier.report import lines
from backend.verifier.report.texts import Texts


def show(verdict: Verdict, texts: Texts, console: Console) -> None:
    """Prints the page."""
    if verdict.counts:
        moment = datetime.fromtimestamp(verdict.created_at, UTC).strftime("%Y-%m-%d %H:%M")
        title = texts.word("title", operator=verdict.operator, created_at=moment)
        console.print(Text(title, style="bold"))
    if verdict.findings.breaks(Law.EXPORT):
        console.print(Text(texts.word("damaged"), style="bold red"))
    console.print(_laws(verdict, texts))
    _show_list(texts.word("position"), lines.position_lines(verdict, texts), console)
    _show_counts(verdict, texts, console)
    _show_list(texts.word("trusted"), lines.trusted_lines(verdict, texts), console)
    keys = [f"{name}  {key}" for name, key in lines.key_labels(verdict, texts)]
    _show_list(texts.word("keys"), keys, console)
    _show_list(texts.word("journals"), lines.journal_lines(verdict, texts), console)
    for item in verdict.findings:
        _show_finding(item, texts, console)
    for code, count in verdict.findings.untold().items():
        console.print(Text(texts.word("more", count=count, code=code)))
    style = "bold green" if verdict.holds else "bold red"
    console.print(Text("\n" + lines.conclusion(verdict, texts), style=style))


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
        table.add_row(texts.of("counts", name), lines.count_shown(name, count, texts))
    console.print(Text("\n" + texts.word("counts"), style="bold"))
    console.print(table)


def _show_list(title: str, told: list[str], console: Console) -> None:
    if told:
        console.print(Text("\n" + title, style="bold"))
    for line in told:
        console.print(Text("  " + line))


def _show_finding(item: Finding, texts: Texts, console: Console) -> None:
    law = f"{texts.word('law')} {item.law.value}" if item.law else texts.word("export_only")
    console.print(Text(f"\n{law}  {item.code}  {lines.where(item.place, texts)}", style="bold"))
    console.print(Text("  " + texts.says(item.code, item.facts)))
    console.print(Text(f"  {texts.word('do')}: {texts.do(item.code)}"))
