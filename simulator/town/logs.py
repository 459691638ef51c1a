"""The backend tells its log of every refusal; a town has thousands that are meant to be."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import structlog


def be_quiet(level: int = logging.ERROR) -> None:
    """Nothing below ``level`` is said from now on."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))


@contextmanager
def quiet() -> Generator[None]:
    """Only what is critical is said, for as long as this lasts."""
    before: dict[str, Any] = structlog.get_config()
    be_quiet(logging.CRITICAL)
    try:
        yield
    finally:
        structlog.configure(**before)
