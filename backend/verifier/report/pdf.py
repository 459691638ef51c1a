"""The audit's report on paper: the same as on the screen, findings by law.

fpdf2 is imported here and nowhere else; the auditor's command asks for it only when a PDF
is wanted. Its core fonts know Latin-1: no euro sign, amounts say EUR.
"""

from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from backend.verifier.audit import Verdict
from backend.verifier.findings import CAUSES_FIRST, Finding, Law
from backend.verifier.report import lines
from backend.verifier.report.texts import Texts

_FONT, _FIXED = "Helvetica", "Courier"
_MARGIN, _LINE, _SMALL = 18.0, 5.4, 4.6
_GREEN, _RED, _AMBER, _GREY, _BLACK = (
    (20, 110, 50), (170, 20, 30), (150, 95, 0), (110, 110, 110), (0, 0, 0),
)  # fmt: skip
_STATUS = {"proved": _GREEN, "disproved": _RED}
_LATIN = str.maketrans({"…": "...", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "€": "EUR"})


def write_pdf(verdict: Verdict, texts: Texts, path: Path) -> None:
    """Writes the report; OSError when the file cannot be written."""
    page = _Report(verdict, texts)
    page.tell()
    path.write_bytes(bytes(page.output()))


class _Report(FPDF):
    """A4, one column."""

    def __init__(self, verdict: Verdict, texts: Texts) -> None:
        super().__init__(format="A4")
        self._verdict, self._texts = verdict, texts
        self._made = datetime.fromtimestamp(verdict.created_at, UTC)
        self.set_creation_date(self._made)
        self.set_title(_latin(self._title()))
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN + 4)

    def footer(self) -> None:
        """Page numbers; the ledger's head, so that no page can be taken for another report's."""
        self.set_y(-_MARGIN + 4)
        self.set_font(_FONT, size=8)
        self.set_text_color(*_GREY)
        number, head = self._verdict.position[0], lines.head_words(self._verdict.position)
        pages = self._texts.word("page", page=self.page_no(), pages="{nb}")
        self.cell(0, 4, pages)
        self.set_x(_MARGIN)
        self.cell(0, 4, f"{number} {head}", align="R")

    def tell(self) -> None:
        """The whole report."""
        texts, verdict = self._texts, self._verdict
        self.add_page()
        self._text(self._title(), size=15, bold=True)
        self.ln(2)
        self._text(
            lines.conclusion(verdict, texts), size=12, bold=True,
            colour=_GREEN if verdict.holds else _RED,
        )  # fmt: skip
        self._laws()
        self._list(texts.word("position"), lines.position_lines(verdict, texts))
        self._findings()
        self._counts()
        self._list(texts.word("trusted"), lines.trusted_lines(verdict, texts), bullet=True)
        self._keys()
        self._list(texts.word("journals"), lines.journal_lines(verdict, texts), fixed=True)

    def _title(self) -> str:
        return self._texts.word(
            "title", operator=self._verdict.operator, created_at=f"{self._made:%Y-%m-%d %H:%M}"
        )

    def _laws(self) -> None:
        texts, verdict = self._texts, self._verdict
        self._heading(texts.word("proved_what"))
        for law in Law:
            status, count = verdict.status(law), verdict.findings.breaks(law)
            shown = texts.of("status", status)
            if law and status == "proved":
                shown = texts.word("held_until", status=shown, transfer=verdict.position[0])
            told = f"{shown} ({count})" if count else shown
            colour = _STATUS.get(status, _AMBER)
            name = texts.of("laws", str(law.value))
            self._row(name, told, colour, number=str(law.value) if law else "-")

    def _counts(self) -> None:
        if self._verdict.counts:
            self._heading(self._texts.word("counts"))
        for name, count in self._verdict.counts.items():
            shown = lines.count_shown(name, count, self._texts)
            self._row(self._texts.of("counts", name), shown)

    def _keys(self) -> None:
        if self._verdict.keys:
            self._heading(self._texts.word("keys"))
        for name, key in lines.key_labels(self._verdict, self._texts):
            if self.will_page_break(_SMALL * 2):
                self.add_page()
            self._text(name, size=9)
            self._text(key, size=8, fixed=True, indent=5)

    def _findings(self) -> None:
        texts, found = self._texts, list(self._verdict.findings)
        for law in CAUSES_FIRST:
            of_law = [item for item in found if item.law is law]
            if of_law:
                name = texts.of("laws", str(law.value))
                self._heading(
                    f"{texts.word('law').capitalize()} {law.value}: {name}" if law else name
                )
            for item in of_law:
                self._finding(item)
        for code, count in self._verdict.findings.untold().items():
            self._text(texts.word("more", count=count, code=code), size=9)

    def _finding(self, item: Finding) -> None:
        texts = self._texts
        self.ln(1)
        if self.will_page_break(_LINE * 5):
            self.add_page()
        self._text(f"{item.code}  {lines.where(item.place, texts)}", size=9, bold=True)
        self._text(texts.says(item.code, item.facts), indent=5)
        told = f"{texts.word('do')}: {texts.do(item.code)}"
        self._text(told, size=9, colour=_GREY, indent=5)

    def _list(
        self, title: str, told: list[str], *, fixed: bool = False, bullet: bool = False
    ) -> None:
        if told:
            self._heading(title)
        for line in told:
            self._text(f"- {line}" if bullet else line, size=8 if fixed else 10, fixed=fixed)

    def _heading(self, text: str) -> None:
        if self.will_page_break(24):
            self.add_page()
        self.ln(4)
        self._text(text, size=12, bold=True)
        self.set_draw_color(*_GREY)
        self.line(_MARGIN, self.get_y(), self.w - _MARGIN, self.get_y())
        self.ln(1.5)

    def _row(
        self, left: str, right: str, colour: tuple[int, int, int] = _BLACK, number: str = ""
    ) -> None:
        """Two columns, the left one wraps; ``number`` stands before it in one of its own."""
        wide, indent = self.epw * 0.62, 6.0 if number else 0.0
        if self.will_page_break(_LINE * 2):
            self.add_page()
        top = self.get_y()
        if number:
            self._text(number, width=indent)
            self.set_y(top)
        self._text(left, width=wide - indent, indent=indent)
        bottom = self.get_y()
        self.set_xy(_MARGIN + wide, top)
        self._text(right, width=self.epw - wide, colour=colour, align="R")
        self.set_xy(_MARGIN, max(bottom, self.get_y()))

    def _text(
        self, text: str, *, size: float = 10, bold: bool = False, fixed: bool = False,
        colour: tuple[int, int, int] = _BLACK, indent: float = 0, width: float = 0,
        align: str = "L",
    ) -> None:  # fmt: skip
        self.set_font(_FIXED if fixed else _FONT, "B" if bold else "", size)
        self.set_text_color(*colour)
        if indent:
            self.set_x(_MARGIN + indent)
        height = _SMALL if size < 10 else _LINE * max(size, 10) / 10
        self.multi_cell(
            width, height, _latin(text), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )


def _latin(text: str) -> str:
    return text.translate(_LATIN).encode("latin-1", "replace").decode("latin-1")
