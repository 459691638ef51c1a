"""What a command answers: a sentence of the catalogue, or its facts as one JSON object."""

import json

import typer

from cardlib.text import catalogue
from cardlib.text.command_line import language


def say(key: str, lang: str | None, *, as_json: bool, **facts: object) -> None:
    """Prints the label ``key`` of the backend, or ``facts`` alone."""
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(catalogue.label("backend", key, language(lang), **facts))
