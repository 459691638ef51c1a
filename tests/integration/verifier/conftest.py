"""Audits of exports that were spoilt on purpose."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.verifier.audit import Verdict, audit
from backend.verifier.findings import Law
from tests.integration.verifier.export_builder import Files, write
from tests.integration.verifier.town_books import Town

Audited = Callable[[Files], Verdict]


@pytest.fixture
def audited(tmp_path: Path) -> Audited:
    """Writes files with a manifest that fits them, and audits them."""
    return lambda files: audit(write(files, tmp_path))


@pytest.fixture
def town() -> Town:
    """An honest town, whose books a test writes by hand."""
    return Town()


def codes(audited: Audited, files: Files, law: Law | None = None) -> set[str]:
    """What an audit finds in ``files``, against ``law`` where given."""
    return {item.code for item in audited(files).findings if law in (None, item.law)}
