"""A question is answered in the language in which it is asked."""

import pytest
import typer
from typer.testing import CliRunner

from cardlib.text.command_line import confirmed


@pytest.mark.parametrize(
    ("lang", "typed", "yes"),
    [
        ("it", "s", True), ("it", "Sì", True), ("it", "", False), ("it", "no", False),
        ("en", "Yes", True), ("en", "y", True), ("en", "", False), ("en", "s", False),
    ],
)  # fmt: skip
def test_yes_is_said_in_the_language_of_the_question(lang: str, typed: str, yes: bool) -> None:
    app = typer.Typer()
    app.command()(lambda: typer.echo(confirmed("?", lang)))
    told = CliRunner().invoke(app, [], input=f"{typed}\n").stdout
    assert told.startswith({"it": "? [s/N]: ", "en": "? [y/N]: "}[lang])
    assert told.strip().endswith(str(yes))
