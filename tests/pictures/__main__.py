"""Makes the pictures of the docs, or with ``--check`` says which of them are stale."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.pictures import panel, till, town

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SOURCES: tuple[Callable[[], Mapping[str, str]], ...] = (
    till.pictures,
    panel.pictures,
    town.pictures,
)


def stale(made: Mapping[str, str], folder: Path = FOLDER) -> list[str]:
    """Names of the pictures that are missing or no longer what the program shows."""
    paths = {name: folder / name for name in made}
    return [
        name
        for name, path in paths.items()
        if not path.exists() or path.read_text("utf-8") != made[name]
    ]


def main(arguments: list[str]) -> int:
    """Exit status: 1 when ``--check`` found a stale picture, 2 for other arguments."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tests.pictures [--check]", file=sys.stderr)
        return 2
    made = {name: text for source in SOURCES for name, text in source().items()}
    old = stale(made)
    if arguments:
        print("\n".join(f"stale: docs/pictures/{name}" for name in old) or "pictures are current")
        return 1 if old else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in old:
        (FOLDER / name).write_text(made[name], "utf-8")
        print(f"made docs/pictures/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
