"""What each key does: the one list, for bindings, the line of keys and the help."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key, the screen's action, and ``label`` of the catalogue; ``shown`` as printed.

    ``brief`` is the label in the lowest lines, empty for a key that is in the help only.
    """

    key: str
    action: str
    label: str
    brief: str = ""
    shown: str = ""

    @property
    def printed(self) -> str:
        """As it is printed on the screen."""
        return self.shown or self.key


FAULTS = (
    Key("t", "fault('tear')", "fault_tear", "brief_tear"),
    Key("m", "fault('mute')", "fault_mute", "fault_mute"),
    Key("s", "fault('slow')", "fault_slow"),
    Key("w", "fault('wrong-mac')", "fault_wrong_mac", "brief_wrong_mac"),
    Key("6", "fault('6581')", "fault_6581", "brief_6581"),
    Key("b", "fault('blocked-pin')", "fault_blocked_pin"),
    Key("i", "fault('idle-reset')", "fault_idle_reset"),
    Key("o", "fault('stale-read')", "fault_stale_read"),
    Key("h", "fault('held-back')", "fault_held_back", "brief_held_back"),
    Key("p", "fault('pin-wedge')", "fault_pin_wedge", "brief_pin_wedge"),
)
HANDS = (
    Key("1", "move(1)", "key_slot_1", "brief_slot_1"),
    Key("2", "move(2)", "key_slot_2", "brief_slot_2"),
    Key("n", "new_card", "key_new", "brief_new"),
    Key("l", "release", "key_release"),
    Key("0", "disarm", "key_disarm", "brief_disarm"),
    Key("r", "read", "key_read"),
)
LOOKS = (
    Key("e", "expand", "key_expand", "key_expand"),
    Key("c", "forget", "key_clear"),
    Key("f", "files", "key_files", "brief_files"),
    Key("question_mark", "help", "key_help", "key_help", "?"),
    Key("q", "quit", "key_quit", "key_quit"),
)
ALL = (*HANDS, *FAULTS, *LOOKS)
"""In the order in which the help tells them."""
IN_VIEW = tuple(item for item in ALL if item.brief)
"""Those for which the lowest lines have room."""
