"""The card's side: an operating system for CRS-style cards, in software.

``card.VirtualCard`` is the whole of it from outside: an ATR, power, and
``transmit``. Inside, files and objects that survive (``filesystem``, ``access``)
stand apart from what one insertion remembers (``session``); every command is a
function in ``commands``. It imports ``cardlib.codec`` and ``cardlib.errors`` only:
its keys and MACs (``crypto``, ``secure_messaging``) are written a second time on
purpose, so that a mistake of the library does not cancel out against its own.
"""
