"""Parts of an HTML file: sections, figures and tables under headings of the catalogue."""

from collections.abc import Iterable, Sequence
from html import escape

from simulator.town.report.words import Words

STYLE = """
body { font: 15px/1.45 sans-serif; color: #1b1b1b; background: #fff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin: 2.2rem 0 .6rem; border-bottom: 2px solid #1b1b1b; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #d0d0d0;
  vertical-align: top; }
td.n, th.n { text-align: right; white-space: nowrap; }
code { font: 13px monospace; overflow-wrap: anywhere; }
.verdict { border: 3px solid #1b1b1b; padding: .6rem 1rem; font-size: 1.15rem; }
.bad { border-style: double; border-width: 6px; }
ul.facts { display: grid; grid-template-columns: repeat(4, 1fr); gap: .6rem; padding: 0;
  list-style: none; }
ul.facts li { border: 1px solid #1b1b1b; padding: .4rem .6rem; }
ul.facts b { display: block; font-size: 1.3rem; }
figure { margin: .8rem 0; break-inside: avoid; } svg { width: 100%; height: auto; }
.small { color: #444; font-size: .9rem; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2 { break-after: avoid; }
  tr { break-inside: avoid; } }
""".strip()
Cell = str | tuple[str, str]
"""Words, or words and their class: ``n`` is a number."""


def document(words: Words, body: str) -> str:
    """A whole file that loads nothing."""
    title = escape(words.label("title"))
    return (
        f'<!doctype html>\n<html lang="{words.lang}">\n<head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )


def section(words: Words, key: str, *parts: str) -> str:
    """A heading and what stands below it."""
    title = escape(words.label(f"section_{key}"))
    return f"<section><h2>{title}</h2>{''.join(parts)}</section>\n"


def figure(words: Words, key: str, plot: str) -> str:
    """A plot and what it shows."""
    caption = escape(words.label(key))
    return f"<figure><figcaption class='small'>{caption}</figcaption>{plot}</figure>"


def paragraph(told: str) -> str:
    """Words."""
    return f"<p>{escape(told)}</p>"


def table(
    words: Words, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, safe: bool = False
) -> str:
    """Rows under their headings; ``safe``: the cells are HTML already."""
    told = [[_cell(cell, safe=safe) for cell in row] for row in rows]
    first = told[0] if told else []
    numbers = [cell.startswith("<td class") for cell in first]
    top = "".join(
        f"<th{' class=n' if number else ''}>{escape(words.label(f'head_{head}'))}</th>"
        for head, number in zip(heads, numbers or [False] * len(heads), strict=True)
    )
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in told)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def number(value: object) -> Cell:
    """A cell that stands at the right."""
    return str(value), "n"


def _cell(cell: Cell, *, safe: bool) -> str:
    if isinstance(cell, tuple):
        return f"<td class='{cell[1]}'>{escape(cell[0])}</td>"
    return f"<td>{cell if safe else escape(cell)}</td>"
