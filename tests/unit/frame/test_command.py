"""The command finds its sub-commands by entry point, loads only one, refuses usage with 2."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest
import typer

import borsellino

many = typer.Typer()


@many.command()
def count(number: int) -> None:
    print(f"counted {number}")


@many.command()
def refuse() -> None:
    raise typer.Exit(1)


def single(word: str = "nothing") -> None:
    """Says it."""
    print(f"said {word}")


Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``borsellino`` with arguments, on the entry points named here; gives the exit code."""
    targets = {"many": "many", "single": "single"}
    here = __name__
    entries = [EntryPoint(n, f"{here}:{t}", "borsellino.commands") for n, t in targets.items()]
    entries.append(EntryPoint("absent", "no_such_package.cli:app", "borsellino.commands"))

    def run(*arguments: str) -> int:
        monkeypatch.setattr(borsellino, "entry_points", lambda **_group: entries)
        monkeypatch.setattr(sys, "argv", ["borsellino", *arguments])
        try:
            borsellino.main()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        return 0

    return run


def test_a_group_of_commands_gets_its_arguments(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("many", "count", "3") == 0
    assert capsys.readouterr().out == "counted 3\n"


def test_a_plain_function_is_a_command_too(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("single", "--word", "bread") == 0
    assert capsys.readouterr().out == "said bread\n"


def test_a_command_that_fails_gives_one(run: Run) -> None:
    assert run("many", "refuse") == 1


@pytest.mark.parametrize(
    "arguments", [(), ("nope",), ("many", "nope"), ("single", "--nope"), ("many", "count", "x")]
)
def test_wrong_usage_gives_two(arguments: tuple[str, ...], run: Run) -> None:
    assert run(*arguments) == 2


def test_the_listing_loads_no_command(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    assert "absent" in capsys.readouterr().out


def test_a_missing_package_is_named(run: Run) -> None:
    assert run("absent") == 1
