"""What a real chip can do: every unverified point of the card profile as a question.

``probe_card`` spends nobody's money. On a card with a purse of a real issuer it reads, and
nothing else; VERIFY is sent without a PIN only, where it asks for the tries left, and not
at all on such a card. Writes are for training purses, when ``writing`` is given.
"""

from cardlib.dialogues.probe.answers import Answer, Needs, Reply, Report
from cardlib.dialogues.probe.probing import Writing, probe_card

__all__ = ["Answer", "Needs", "Reply", "Report", "Writing", "probe_card"]
