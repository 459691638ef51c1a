"""Where the repository is, what belongs to it and what its code says, for the tests here."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("cardlib", "simulator", "terminal", "backend")


def project() -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def files() -> list[Path]:
    """Every file that is or would be committed."""
    told = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    named = (ROOT / name for name in told.stdout.split("\0") if name)
    return [path for path in named if path.is_file()]


def modules(*packages: str) -> Iterator[Path]:
    """The Python files of ``packages``."""
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def literals(path: Path, pattern: str) -> set[str]:
    """The string literals of a module that match ``pattern`` as a whole; not those of __all__."""
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [statement for statement in tree.body if not _exports(statement)]
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in strings if isinstance(text, str) and re.fullmatch(pattern, text)}


def _exports(statement: ast.stmt) -> bool:
    """Whether a statement sets __all__, which holds names and no words for people."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)
