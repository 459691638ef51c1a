"""The command ``borsellino``: finds its sub-commands by entry point, loads only the one asked for.

It imports nothing of ours and nothing of ours imports it. A sub-command is an
entry point of the group ``borsellino.commands``: a Typer app, or a function that
Typer can make one of. It reports its own errors; usage is all that is refused here.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points, version

# In the order of the listing. A command that is not named here is listed after these.
ABOUT = {
    "demo": "a small town in one go: load, sell, tear, recover, sync, pay, audit",
    "doctor": "what is missing on this machine, and the command that mends it",
    "card": "read a card: what it is, what it holds, what it did",
    "terminal": "the till; also one sale without a screen, and the journal",
    "sync": "carry the journal to the backend and fetch what is new",
    "backend": "the settlement service and its administration",
    "verify": "the independent audit of an export",
    "sim": "make, inspect and plug in virtual cards",
}
USAGE = 2


def main() -> None:
    """Runs the sub-command named first; with ``--help``, or without a name, lists them."""
    commands = {entry.name: entry for entry in entry_points(group="borsellino.commands")}
    match sys.argv[1:]:
        case [name, *arguments] if name in commands:
            _run(commands[name], arguments)
        case ["--help" | "-h", *_]:
            print(_listing(commands))
        case ["--version", *_]:
            print(f"borsellino {version('borsellino')}")
        case [name, *_]:
            print(f"borsellino: no command is called {name!r}", file=sys.stderr)
            sys.exit(USAGE)
        case _:
            print(_listing(commands), file=sys.stderr)
            sys.exit(USAGE)


def _run(entry: EntryPoint, arguments: list[str]) -> None:
    from typer import Typer  # not for the listing, which needs no library at all
    from typer.main import get_command

    try:
        app = entry.load()
    except ModuleNotFoundError as missing:
        sys.exit(f"borsellino {entry.name}: the package {missing.name!r} is not installed here")
    if not isinstance(app, Typer):
        function, app = app, Typer(add_completion=False)
        app.command()(function)
    # Not app(...): that would print tracebacks of its own making instead of Python's.
    get_command(app)(args=arguments, prog_name=f"borsellino {entry.name}")


def _listing(commands: Iterable[str]) -> str:
    names = [name for name in ABOUT if name in commands]
    names += sorted(set(commands) - set(names))
    lines = [f"  {name:<10}{ABOUT.get(name, '')}".rstrip() for name in names]
    usage = "usage: borsellino COMMAND [--help] ...        borsellino --version"
    return "\n".join([usage, "", *lines])


if __name__ == "__main__":
    main()
