"""``borsellino backend settlement band | send | review | accept | hold``: the sampled review."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from backend.commands.batches_shown import municipality_of, show_batches
from backend.commands.options import HERE, ApprovedBy, By, Dir, Json, Lang
from backend.composition import Backend
from backend.domain.review import Rule
from backend.domain.settlement import LineState
from cardlib.text import catalogue
from cardlib.text.command_line import language, reported
from cardlib.wire.money import Money

Opened = Callable[[Path], AbstractContextManager[Backend]]
Number = Annotated[int, typer.Argument(help="Number of the batch.")]
Town = Annotated[str | None, typer.Option(help="ISTAT code; needed with several towns.")]
Permille = Annotated[int, typer.Option("--sample", help="Lines in a thousand to look at.")]


class Hold(StrEnum):
    """What becomes of a line that is held back."""

    POSTPONED = "postponed"
    SUSPENDED = "suspended"
    REJECTED = "rejected"


def add_reviews(app: typer.Typer, opened: Opened) -> None:
    """Adds the sub-commands to ``app``."""
    _add_bands(app, opened)
    _add_review(app, opened)
    _add_lines(app, opened)


def _add_bands(app: typer.Typer, opened: Opened) -> None:
    @app.command()
    def band(
        from_cents: Annotated[int, typer.Argument(help="From which amount on, in cents.")],
        *, permille: Permille = 0,
        approvals: Annotated[int, typer.Option(help="How many people approve.")] = 1,
        act: Annotated[str, typer.Option(help="The act that decides it.")],
        by: By, approved_by: ApprovedBy, town: Town = None,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Sets what batches of an amount need; two people decide."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            backend.reviews.set_band(
                municipality_of(backend, town), Rule(from_cents, permille, approvals), act=act,
                requested_by=by, approved_by=approved_by,
            )  # fmt: skip
            said = catalogue.label("settlement", "band_set", language(lang))
            typer.echo("{}" if as_json else said)

    @app.command()
    def bands(
        *, town: Town = None, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """What batches need now, by amount."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            rules = backend.reviews.bands(municipality_of(backend, town))
            if as_json:
                typer.echo(json.dumps([asdict(rule) for rule in rules]))
                return
            chosen = language(lang)
            none = catalogue.label("settlement", "band_none", chosen)
            typer.echo("\n".join([_rule(rule, chosen) for rule in rules] or [none]))


def _add_review(app: typer.Typer, opened: Opened) -> None:
    @app.command()
    def send(
        batch: Number, *, by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None
    ) -> None:
        """Hands a batch over for review."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            show_batches([backend.reviews.send(batch, by)], lang, as_json=as_json)

    @app.command()
    def review(
        batch: Number,
        *, by: By,
        permille: Annotated[
            int | None, typer.Option("--sample", help="More lines in a thousand than asked for.")
        ] = None,
        directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Begins the review: draws the sample by a seed that is kept."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            show_batches([backend.reviews.begin(batch, by, permille)], lang, as_json=as_json)


def _add_lines(app: typer.Typer, opened: Opened) -> None:
    @app.command()
    def accept(
        batch: Number,
        lines: Annotated[
            list[int] | None, typer.Argument(help="Numbers of lines; all of the sample if none.")
        ] = None,
        *, by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Notes that lines of the sample were looked at and are right."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            show_batches([backend.reviews.accept(batch, lines or [], by)], lang, as_json=as_json)

    @app.command()
    def hold(
        batch: Number,
        line: Annotated[int, typer.Argument(help="Number of the line.")],
        to: Hold,
        *, why: Annotated[str, typer.Option(help="The reason, as the merchant will read it.")],
        by: By, directory: Dir = HERE, as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        """Holds a line back: postponed, or suspended or rejected until two people decide."""
        with reported(lang, as_json=as_json), opened(directory) as backend:
            held = backend.reviews.hold(batch, line, LineState(to), why, by)
            show_batches([held], lang, as_json=as_json)


def _rule(rule: Rule, lang: str) -> str:
    return catalogue.label(
        "settlement", "band", lang, amount=catalogue.money(Money(rule.from_cents), lang),
        permille=rule.sample_permille, approvals=rule.approvals,
    )  # fmt: skip
