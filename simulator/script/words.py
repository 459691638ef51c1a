"""Faults in a script's words, as ``fault_options`` names them."""

import re

from cardlib.trace import instruction

_AT = {
    "tear before": "tear-before",
    "tear after": "tear-after",
    "tear": "tear-after",
    "tear nothing": "tear-nothing",
    "tear damaged new": "tear-damaged-new",
    "tear damaged oldest": "tear-damaged-oldest",
    "mute": "mute",
    "reset": "reset-before",
    "answer 6581": "memory-failure",
    "answer 6581 written": "memory-failure-written",
    "wrong mac": "wrong-mac",
    "wrong command mac": "wrong-command-mac",
    "replay": "replayed",
    "hold back": "held-back",
    "forge 6985": "forged-status",
    "longer": "longer-answer",
    "shorter": "shorter-answer",
    "endless": "endless-answer",
    "old records": "stale-read",
}
_FROM_NOW_ON = {
    "pin blocked": "blocked-pin",
    "blocked pin": "blocked-pin",
    "pin wedge": "pin-wedge",
    "idle reset": "idle-reset",
    "old records": "stale-read:1",
    "garbage atr": "garbage-atr",
    "timed": "timed",
}
_VALUES = (
    (re.compile(r"slow (\d+(?:\.\d+)?) ?s"), "slow:{}"),
    (re.compile(r"timed (\d+)"), "timed:{}"),
    (re.compile(r"map ([0-9a-f]{2})"), "forged-map:{}"),
)


def fault_at(command: str, number: str, words: str) -> str | None:
    """``at UPDATE RECORD 2 tear after`` → ``tear-after:update-record:2``; None if unknown."""
    name, place = _AT.get(words.lower()), command.lower()
    if place == "command":
        return name and f"{name}:{number}"
    if name is None or (place != "write" and instruction(place) is None):
        return None
    return f"{name}:{place.replace(' ', '-')}:{number}"


def fault_from_now_on(words: str) -> str | None:
    """``slow 0.5 s`` → ``slow:0.5``; None for an unknown one."""
    said = words.lower()
    for pattern, text in _VALUES:
        found = pattern.fullmatch(said)
        if found:
            return text.format(found[1])
    return _FROM_NOW_ON.get(said)
