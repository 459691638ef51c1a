"""The counter: what a screen or a command asks of an opened till.

::

    counter = Counter(till)
    card = counter.card(connection)
    with counter.sale(card, tell) as sale: ...
    print(render(counter.receipt(result), "it"))
"""

from collections.abc import Callable

from cardlib.channel import Channel, Tracer
from cardlib.connection import CardConnection
from cardlib.drivers.choose import purse_card
from cardlib.drivers.known_grants import KnownGrants
from cardlib.drivers.purse_card import PurseCard
from cardlib.wire.entry import Entry
from cardlib.wire.entry_body import Committed
from terminal.receipts import Receipt, receipt_of
from terminal.recovery.flow import Recovery
from terminal.risk import Risk
from terminal.sale.session import SaleSession
from terminal.sale.states import Step
from terminal.till import Till


def _silent(_step: Step) -> None:
    pass


class Counter:
    """Puts together driver, journal, module and rules of one till."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self._known = KnownGrants()

    def card(self, connection: CardConnection, tracer: Tracer | None = None) -> PurseCard:
        """The driver before a card."""
        till = self.till
        channel = Channel(connection, tracer)
        return purse_card(
            channel,
            till.module,
            till.trust,
            training=till.certificate.training,
            known=self._known,
            legacy_sale_cents=till.trust.limits.legacy_sale_cents,
        )

    def risk(self) -> Risk:
        """The rules as the newest bundle has them."""
        till = self.till
        return Risk(
            till.trust,
            till.journal,
            till.clock,
            known_since=till.certificate.issued_at,
            sale_limit=till.config.sale_limit_cents,
        )

    def sale(self, card: PurseCard, tell: Callable[[Step], None] = _silent) -> SaleSession:
        """A session with one customer."""
        till = self.till
        return SaleSession(
            card, till.journal, till.module, till.clock, self.risk(), till.author.terminal, tell
        )

    def recovery(self) -> Recovery:
        """What to do about debits whose outcome is unknown."""
        return Recovery(self.till.journal, self.till.module)

    def receipt(self, closing: Entry) -> Receipt:
        """The receipt of a sale, recovered sale or void."""
        assert isinstance(closing.body, Committed)
        till = self.till
        intent = till.journal.views.entry(closing.body.intent_seq).decode()
        own = till.certificate
        return receipt_of(
            intent, closing, till.journal.views, till.trust, own.merchant_name, own.operator
        )
