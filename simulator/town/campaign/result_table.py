"""``python -m simulator.town.campaign.result_table REPORT.json``: a campaign's result as a table.

Prints Markdown; ``--page docs/town.md --place usual`` puts it into a page instead, between
``<!-- campaign usual -->`` and ``<!-- end -->``.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cardlib.text import catalogue
from simulator.town.report.words import Words
from simulator.town.unreached import grouped

_MARKED = "(<!-- campaign {place} -->\n).*?(<!-- end -->)"


def page(
    report: Annotated[Path, typer.Argument(help="What ./run town --report wrote.")],
    *,
    into: Annotated[Path | None, typer.Option("--page", help="The page to put it into.")] = None,
    place: Annotated[str, typer.Option(help="Which place of the page.")] = "usual",
    lang: Annotated[str, typer.Option(help="it or en.")] = "en",
) -> None:
    """A campaign's result as a Markdown table, printed or put into a page."""
    told = table(json.loads(report.read_text("utf-8")), lang)
    if into is None:
        typer.echo(told, nl=False)
        return
    put(told, into, place, lang)


def put(told: str, into: Path, place: str, lang: str) -> None:
    """Puts a table into its place of a page; exit status 1 when the page has no such place."""
    text = into.read_text("utf-8")
    marked = re.compile(_MARKED.format(place=re.escape(place)), re.DOTALL)
    if not marked.search(text):
        typer.echo(
            catalogue.label("campaign_page", "no_place", lang, page=into, place=place), err=True
        )
        sys.exit(1)
    into.write_text(marked.sub(lambda found: f"{found[1]}{told}{found[2]}", text), "utf-8")


def table(summary: Mapping[str, Any], lang: str) -> str:
    """Rows of a ``Summary`` in its JSON form; the last ones say what was not reached."""
    words = Words(lang, {}, {})
    alarms, reached = summary["alarms"], summary["reached"]
    unreached = {name: ways for name, ways in summary["unreached"].items() if ways}
    missing = sum(map(len, unreached.values()))
    known = sum(1 for ways in reached.values() for _ in ways)
    rows = [
        ("towns", words.number(summary["seeds"])),
        ("sales", f"{words.number(summary['sales'])} ({words.money(summary['cents_delivered'])})"),
        ("faults", words.number(summary["faults"])),
        ("kinds", _kinds(summary["faults_by_kind"], words)),
        ("astray", words.number(summary["cents_astray"])),
        ("failures", _failures(summary["failures"], words)),
        ("alarms_title", _label("alarms", lang, **alarms)),
        ("reached", f"{words.number(known - missing)} / {words.number(known)}"),
        ("time", words.waited(round(summary["cpu_seconds"]))),
    ]
    lines = ["| | |", "|---|---|", *(f"| {_label(key, lang)} | {told} |" for key, told in rows)]
    if unreached:
        lines += ["", _label("unreached", lang), ""]
        chance, reasons = grouped(unreached, lang)
        told = {words.label(f"table_{name}"): ways for name, ways in chance.items()} | reasons
        lines += [f"- {why}: {', '.join(f'`{way}`' for way in ways)}" for why, ways in told.items()]
    return "\n".join(lines) + "\n"


def _kinds(faults: Mapping[str, int], words: Words) -> str:
    most = sorted(faults.items(), key=lambda item: -item[1])
    return ", ".join(f"{words.fault(kind)} {words.number(count)}" for kind, count in most)


def _failures(failures: list[Mapping[str, Any]], words: Words) -> str:
    told = [f"seed {failure['seed']}: `{failure['code']}`" for failure in failures]
    return ", ".join(told) or words.label("nothing")


def _label(key: str, lang: str, **facts: object) -> str:
    return catalogue.label("campaign_page", key, lang, **facts)


if __name__ == "__main__":
    typer.run(page)
