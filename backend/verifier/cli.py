"""``borsellino verify DIR``: audits an export without trusting whoever made it.

Exit status 0: nothing was disproved; 1: something was, or the export is damaged;
2: there is nothing to audit.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backend.verifier import report
from backend.verifier.audit import audit
from backend.verifier.texts import Texts, language_of

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
        typer.Option(help="Acknowledgements that a shop kept, one JSON object a line."),
    ] = None,
) -> None:
    """Proves or disproves laws 1, 3, 5 and 6 from an export; says what it must trust."""
    texts = Texts(language_of(lang, os.environ))
    if not directory.is_dir():
        _misused(texts.word("usage_directory", path=str(directory)))
    for path in evidence or ():
        if not path.is_file():
            _misused(texts.word("usage_evidence", path=str(path)))
    keys = frozenset(_key(item, texts) for item in key or ())
    verdict = audit(directory, keys=keys, evidence=tuple(evidence or ()))
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(verdict, texts), ensure_ascii=False) + "\n")
    else:
        report.show(verdict, texts, Console(soft_wrap=True, highlight=False))
    raise typer.Exit(0 if verdict.holds else 1)


def _key(text: str, texts: Texts) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY:
        _misused(texts.word("usage_key", key=text))
    return key


def _misused(sentence: str) -> None:
    sys.stderr.write(f"borsellino verify: {sentence}\n")
    raise typer.Exit(2)
