"""The till's words: labels, sentences and amounts in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cardlib.text.catalogue import label, money, sentence
from cardlib.wire.money import Money
from terminal.sale.states import Step

TABLE = "till"


@dataclass(frozen=True, slots=True)
class Wording:
    """Looks everything up in the catalogue's table ``[till]``."""

    lang: str

    def __call__(self, key: str, **facts: object) -> str:
        """A label of the till."""
        return label(TABLE, key, self.lang, **facts)

    def count(self, key: str, number: int) -> str:
        """A label that depends on a number: ``key_one`` or ``key_many``."""
        return self(f"{key}_one" if number == 1 else f"{key}_many", number=number)

    def step(self, step: Step) -> str:
        """What the card is doing, for people who wait."""
        return label("sale_step", step.value, self.lang)

    def money(self, amount: Money) -> str:
        """With its currency."""
        return money(amount, self.lang)

    def figure(self, amount: Money) -> str:
        """Digits only, for large type."""
        return self.money(amount).removesuffix(f" {amount.currency}")

    def day(self, day: date) -> str:
        """Day, month, year."""
        return f"{day:%d/%m/%Y}"

    def explain(self, code: str, facts: Mapping[str, str | int]) -> str:
        """The sentence of a code: what happened, what to do."""
        told = dict(facts)
        amount = told.get("amount")
        if self.lang == "it" and isinstance(amount, str):
            told["amount"] = amount.replace(".", ",")
        return sentence(code, self.lang, **told)
