"""What every command does alike: the reader's language, and errors told with their code."""

import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import typer

from cardlib.errors import CodedError
from cardlib.text import catalogue

FAILURE = 1
"""Exit status of anything that failed; 2 is wrong usage."""


def language(asked: str | None = None) -> str:
    """The language asked for, else the environment's."""
    return catalogue.preferred(os.environ, asked)


def fail(error: CodedError, lang: str | None, *, as_json: bool = False) -> NoReturn:
    """Tells code and sentence (one JSON object with ``as_json``) and exits with 1."""
    told = catalogue.sentence(error.code, language(lang), **error.facts)
    if as_json:
        typer.echo(
            json.dumps(
                {"code": error.code, "message": told, "facts": dict(error.facts)},
                ensure_ascii=False,
            )
        )
    else:
        typer.echo(f"{error.code}: {told}", err=True)
    sys.exit(FAILURE)


def confirmed(question: str, lang: str) -> bool:
    """Whether a person says yes, in their language; anything else is no."""
    choices = catalogue.label("confirm", "choices", lang)
    typed: str = typer.prompt(f"{question} {choices}", default="", show_default=False)
    return typed.strip().lower() in catalogue.label("confirm", "yes", lang).split()


@contextmanager
def reported(lang: str | None, *, as_json: bool = False) -> Generator[None]:
    """Turns an error with a code into :func:`fail`."""
    try:
        yield
    except CodedError as error:
        fail(error, lang, as_json=as_json)
