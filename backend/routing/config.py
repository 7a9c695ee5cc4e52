"""The ``[routing]`` table of the backend's configuration: channels' facts and their order.

``[routing] card = ["NUCC", "CUP"]`` is the order of preference, ``order_by = ["cost", …]`` what
counts first; ``[routing.channels.CUP] amount_minor_max = …`` changes single facts.
``[routing.wallets] alipay = ["ALIPAY"]`` says who serves another wallet's payers,
``[[routing.forms]]`` what their codes look like.
"""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from backend.channels.facts import DEFAULT_FACTS, ChannelFacts, CostTerms, Offer
from backend.channels.model import NUCC
from backend.routing.model import PREFERENCE, WALLETS, Criterion, Routing
from protocol.scanned import FORM_CHARS_MAX, FORMS_MAX, USUAL_FORMS, Form, ScanTable, Use

_Count = Annotated[int, Field(ge=0)]
_Amount = Annotated[int, Field(gt=0)]


class ChannelSettings(BaseModel):
    """What differs from a channel's facts as we know them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offers: frozenset[Offer] | None = None
    currencies: frozenset[str] | None = None
    amount_minor_min: _Amount | None = None
    amount_minor_max: _Amount | None = None
    cost_item_micro: _Count | None = None
    cost_rate_ppm: _Count | None = None
    cost_rate_micro_max: _Count | None = None

    def applied_to(self, facts: ChannelFacts) -> ChannelFacts:
        """The facts with what differs."""
        said = self.model_dump(exclude_none=True)
        cost = {name.removeprefix("cost_"): said.pop(name) for name in list(said)
                if name.startswith("cost_")}  # fmt: skip
        terms: CostTerms = replace(facts.cost, **cost)
        changes: dict[str, Any] = {**said, "cost": terms}
        return replace(facts, **changes)


class FormSettings(BaseModel):
    """One form of a scanned text (``protocol.scanned.Form``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wallet: Annotated[str, Field(min_length=1, max_length=32)]
    form: Annotated[str, Field(min_length=1, max_length=FORM_CHARS_MAX)]
    use: Use = "pay_code"


class RoutingSettings(BaseModel):
    """Which channel is preferred for what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: tuple[str, ...] = PREFERENCE["card"]
    fund: tuple[str, ...] = PREFERENCE["fund"]
    advance: tuple[str, ...] = PREFERENCE["advance"]
    ecny: tuple[str, ...] = PREFERENCE["ecny"]
    wallets: dict[str, tuple[str, ...]] = dict(WALLETS)
    forms: Annotated[tuple[FormSettings, ...], Field(max_length=FORMS_MAX)] = tuple(
        FormSettings(wallet=form.wallet, form=form.form, use=form.use) for form in USUAL_FORMS
    )
    order_by: tuple[Criterion, ...] = tuple(Criterion)
    channels: dict[str, ChannelSettings] = {}
    former_channels: dict[str, str] = {"CARD": NUCC, "BANK": NUCC}
    """Channels that were, and who carries on what was begun with them."""

    def facts(self) -> dict[str, ChannelFacts]:
        """Every channel that we know, as configured."""
        none = ChannelSettings()
        return {
            name: self.channels.get(name, none).applied_to(facts)
            for name, facts in DEFAULT_FACTS.items()
        }

    def routing(self, channels: frozenset[str]) -> Routing:
        """The rules for an installation that has these channels."""
        return Routing(
            facts={name: facts for name, facts in self.facts().items() if name in channels},
            preference={
                "card": self.card,
                "fund": self.fund,
                "advance": self.advance,
                "ecny": self.ecny,
            },
            wallets=self.wallets,
            order_by=self.order_by,
            scan=ScanTable([Form(**form.model_dump()) for form in self.forms], ()),
        )
