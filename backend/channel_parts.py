"""The runner of the conversations with channels, built by hand, and who draws the consequences."""

from collections.abc import Mapping
from functools import partial

from backend.channels.ports import ChannelPort
from backend.payments.by_channel import ResolvePayment
from backend.payments.model import PaymentRules
from backend.payments.services import Services
from backend.reconciliation.repository import ReconciliationRepository
from backend.reconciliation.returns import ResolveReturn
from backend.refunds.by_channel import ResolveRefund
from backend.refunds.giving_back import ResolveGiveBack
from backend.sagas.model import SagaKind
from backend.sagas.ports import Resolve, Word
from backend.sagas.repository import SagaRepository
from backend.sagas.runner import SagaRunner
from backend.topups.service import ResolveTopUp
from backend.withdrawals.service import ResolveWithdrawal


def build_runner(
    services: Services, channels: Mapping[str, ChannelPort], former: Mapping[str, str]
) -> SagaRunner:
    """The runner towards these channels. What was begun with a former one is carried on by the
    channel that has taken over its business (``former``: old id → present id)."""
    heirs = {old: channels[heir] for old, heir in former.items() if heir in channels}
    return SagaRunner(
        submit=services.submit,
        run_read=services.run_read,
        repository=SagaRepository(services.reader),
        channels={**heirs, **channels},
        resolvers=resolvers(services.rules),
        taken=ReconciliationRepository(services.reader).taken,
        clock=services.clock,
        flows=services.flows,
    )


def resolvers(rules: PaymentRules) -> dict[SagaKind, Resolve]:
    """Who draws the consequence of a channel's word, by what the conversation is about."""
    return {
        SagaKind.PAY: partial(_payment, rules),
        SagaKind.REFUND: partial(_refund, rules),
        SagaKind.GIVE_BACK: partial(_give_back, rules),
        SagaKind.RETURN: partial(_return, rules),
        SagaKind.TOP_UP: _top_up,
        SagaKind.PAYOUT: partial(_payout, rules),
    }


def _payment(rules: PaymentRules, saga_id: str, word: Word) -> ResolvePayment:
    return ResolvePayment(saga_id=saga_id, word=word, rules=rules)


def _refund(rules: PaymentRules, saga_id: str, word: Word) -> ResolveRefund:
    return ResolveRefund(saga_id=saga_id, word=word, rules=rules)


def _give_back(rules: PaymentRules, saga_id: str, word: Word) -> ResolveGiveBack:
    return ResolveGiveBack(saga_id=saga_id, word=word, rules=rules)


def _return(rules: PaymentRules, saga_id: str, word: Word) -> ResolveReturn:
    return ResolveReturn(saga_id=saga_id, word=word, rules=rules)


def _top_up(saga_id: str, word: Word) -> ResolveTopUp:
    return ResolveTopUp(saga_id=saga_id, word=word)


def _payout(rules: PaymentRules, saga_id: str, word: Word) -> ResolveWithdrawal:
    return ResolveWithdrawal(saga_id=saga_id, word=word, rules=rules)
