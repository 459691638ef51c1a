"""A driver of one's own behind ``PurseCard``: a till takes it as it takes ours.

This one is for a reader that loses contact now and then: it reads again, a few times.
Reading may be repeated; a debit never is, whatever it was answered.
"""

from training import MODULE, Trust, new_card

from cardlib.channel import Channel
from cardlib.dialogues.purse_state import PurseState
from cardlib.drivers.file_card import FileCard
from cardlib.drivers.purse_card import PurseCard
from cardlib.errors import CardAnswerError, CardGoneError
from simulator.connection import InProcessConnection
from simulator.faults import ResetBefore, nth

TIMES = 3


class PatientCard(FileCard):
    """A file card whose reads are tried again."""

    def read(self) -> PurseState:
        """A fresh read, with new randoms on both sides each time."""
        for _ in range(TIMES - 1):
            try:
                return super().read()
            except (CardAnswerError, CardGoneError) as error:
                print("again:", error)
        return super().read()


reader = ResetBefore(InProcessConnection(new_card(50_00)), nth(4))
card: PurseCard = PatientCard(Channel(reader), MODULE, Trust(), training=True)
print("balance:", card.read().wallets[1].balance)
