"""A screen as SVG that needs nothing from the network."""

import re

from textual.app import App

_FONT_ADDRESS = re.compile(r',?\s*url\("https://[^"]*"\) format\("[^"]*"\)')


def svg_of(app: App[None]) -> str:
    """What the app shows; the font is taken from the reader's system, or a like one."""
    return without_fonts(app.export_screenshot(title="Borsellino"))


def without_fonts(svg: str) -> str:
    """The same, with no address of a font in it."""
    return _FONT_ADDRESS.sub("", svg)
