"""Audits of exports that were spoilt on purpose."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.verifier.audit import Verdict, audit
from tests.integration.verifier.export_builder import Files, write

Audited = Callable[[Files], Verdict]


@pytest.fixture
def audited(tmp_path: Path) -> Audited:
    """Writes files with a manifest that fits them, and audits them."""
    return lambda files: audit(write(files, tmp_path))
