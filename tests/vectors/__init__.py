"""Golden vectors made by a second path, not by this code, and how tests read them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def load(name: str) -> dict[str, Any]:
    """The content of ``name``.json."""
    content: dict[str, Any] = json.loads((_HERE / f"{name}.json").read_text("utf-8"))
    return content


def protocol() -> dict[str, Any]:
    """Sale, load and init of suite 1 and 2."""
    return load("protocol-vectors")


def suite_1() -> dict[str, Any]:
    """The AES-128 part."""
    part: dict[str, Any] = protocol()["suites"]["aes-128"]
    return part


def suite_2() -> dict[str, Any]:
    """The two-key TDEA part."""
    part: dict[str, Any] = protocol()["suites"]["2tdea"]
    return part


def entries() -> dict[str, Any]:
    """Signed journal entries."""
    return load("entry-vectors")


def documents() -> dict[str, Any]:
    """What the operator signs: acknowledgements, a statement, trees."""
    return load("document-vectors")
