"""The payment channels, built by hand: adapters, and the runner of the conversations with them.

Beside ``bootstrap`` because a backend may run without an institution: then it has no channels.
"""

from collections.abc import Mapping
from functools import partial

from backend.channels.facts import DEFAULT_FACTS
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.model import ADVANCING_BANK, CARD, FUND
from backend.channels.ports import ChannelPort
from backend.payments.by_channel import ResolvePayment
from backend.payments.model import PaymentRules
from backend.payments.services import Services
from backend.refunds.by_channel import ResolveRefund
from backend.refunds.giving_back import ResolveGiveBack
from backend.sagas.model import SagaKind
from backend.sagas.ports import Resolve, Word
from backend.sagas.repository import SagaRepository
from backend.sagas.runner import SagaRunner

_PREFIXES = {CARD: "/card", ADVANCING_BANK: "/fund", FUND: "/advance"}
CHANNELS = frozenset(_PREFIXES)


def build_channels(institution: Institution) -> dict[str, ChannelPort]:
    """The configured institution's channels."""
    return {
        name: HttpChannel(institution, prefix=prefix, facts=DEFAULT_FACTS[name])
        for name, prefix in _PREFIXES.items()
    }


def build_runner(services: Services, channels: Mapping[str, ChannelPort]) -> SagaRunner:
    """The runner towards these channels."""
    return SagaRunner(
        submit=services.submit,
        run_read=services.run_read,
        repository=SagaRepository(services.reader),
        channels=channels,
        resolvers=resolvers(services.rules),
        clock=services.clock,
    )


def resolvers(rules: PaymentRules) -> dict[SagaKind, Resolve]:
    """Who draws the consequence of a channel's word, by what the conversation is about."""
    return {
        SagaKind.PAY: partial(_payment, rules),
        SagaKind.REFUND: partial(_refund, rules),
        SagaKind.GIVE_BACK: partial(_give_back, rules),
    }


def _payment(rules: PaymentRules, saga_id: str, word: Word) -> ResolvePayment:
    return ResolvePayment(saga_id=saga_id, word=word, rules=rules)


def _refund(rules: PaymentRules, saga_id: str, word: Word) -> ResolveRefund:
    return ResolveRefund(saga_id=saga_id, word=word, rules=rules)


def _give_back(rules: PaymentRules, saga_id: str, word: Word) -> ResolveGiveBack:
    return ResolveGiveBack(saga_id=saga_id, word=word, rules=rules)
