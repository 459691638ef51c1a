"""``borsellino verify DIR``: audits an export without trusting whoever made it.

Exit status 0: nothing was disproved; 1: something was, or the export is damaged;
2: there is nothing to audit.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backend.verifier.audit import Verdict, audit
from backend.verifier.export import schema
from backend.verifier.export.reader import MANIFEST
from backend.verifier.report import json_object, screen
from backend.verifier.report.texts import Texts, language_of

_KEY = 32


def verify(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `borsellino backend export` wrote.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Annotated[str | None, typer.Option(help="it or en; else from LANG.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A public key, hex, that you got another way; repeat for each."),
    ] = None,
    evidence: Annotated[
        list[Path] | None,
        typer.Option(
            help="Acknowledgements, statements, journal entries that a shop kept, one a line."
        ),
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as a PDF, too.")
    ] = None,
) -> None:
    """Proves or disproves laws 1, 3, 5 and 6 from an export; says what it must trust."""
    texts = Texts(language_of(lang, os.environ))
    try:
        keys = _checked(directory, key or [], evidence or [])
    except _MisuseError as misuse:
        _refuse(misuse, texts, as_json=as_json)
        raise typer.Exit(2) from misuse
    verdict = audit(directory, keys=keys, evidence=tuple(evidence or ()))
    if pdf is not None:
        try:
            _write_pdf(verdict, texts, pdf)
        except _MisuseError as misuse:
            _refuse(misuse, texts, as_json=as_json)
            raise typer.Exit(2) from misuse
    if as_json:
        sys.stdout.write(json.dumps(json_object.as_json(verdict, texts), ensure_ascii=False) + "\n")
    else:
        console = Console(soft_wrap=True, highlight=False)
        screen.show(verdict, texts, console)
        if pdf is not None:
            console.print(texts.word("pdf_written", path=str(pdf)), markup=False)
    raise typer.Exit(0 if verdict.holds else 1)


def _write_pdf(verdict: Verdict, texts: Texts, path: Path) -> None:
    try:
        pdf = importlib.import_module("backend.verifier.report.pdf")  # fpdf2 only when it is wanted
    except ImportError as error:
        raise _MisuseError("PDF_NOT_INSTALLED", "fpdf2") from error
    try:
        pdf.write_pdf(verdict, texts, path)
    except OSError as error:
        raise _MisuseError("PDF_UNWRITABLE", str(path)) from error


class _MisuseError(Exception):
    """There is nothing to audit, or not with what was given; ``about`` says what."""

    def __init__(self, code: str, about: str) -> None:
        super().__init__(code)
        self.code = code
        self.about = about


def _checked(directory: Path, keys: list[str], evidence: list[Path]) -> frozenset[bytes]:
    """The auditor's keys, as bytes; _MisuseError when something named is not there."""
    if not directory.is_dir():
        raise _MisuseError("DIRECTORY_MISSING", str(directory))
    if not any((directory / name).is_file() for name in (MANIFEST, *schema.FILES)):
        raise _MisuseError("NOT_AN_EXPORT", str(directory))
    for path in evidence:
        if not path.is_file():
            raise _MisuseError("EVIDENCE_MISSING", str(path))
    return frozenset(_key(text) for text in keys)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise _MisuseError("KEY_MALFORMED", text) from error
    if len(key) != _KEY:
        raise _MisuseError("KEY_MALFORMED", text)
    return key


def _refuse(misuse: _MisuseError, texts: Texts, *, as_json: bool) -> None:
    sentence = texts.misuse(misuse.code, misuse.about)
    if as_json:
        told = {"ok": False, "code": misuse.code, "message": sentence}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"borsellino verify: {sentence}\n")
