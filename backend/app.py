"""The two HTTP applications: one for hubs, one for everybody else."""

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from backend import http_errors
from backend.audit import routes as audit_routes
from backend.audit.watch import OperatorActs
from backend.bills import routes as bill_routes
from backend.body_limit import BodyLimit
from backend.bootstrap import Backend
from backend.clearing import absent as clearing_absent
from backend.clearing import routes as clearing_routes
from backend.clearing.closed import ClosedDays
from backend.console import limits as console_limits
from backend.console import operator_routes as console_people_routes
from backend.console import routes as console_routes
from backend.console.desk import PeopleDesk
from backend.console.merchant_callbacks_desk import CallbacksDesk
from backend.console.merchant_desks import MerchantDesks
from backend.console.operations_desk import OperationsDesk
from backend.console.signatures import Signatures
from backend.console.staff_desk import StaffDesk
from backend.coupons import routes as coupon_routes
from backend.destinations import routes as destination_routes
from backend.devices import routes as device_routes
from backend.disputes import routes as dispute_routes
from backend.firmware import ddi_routes as update_routes
from backend.firmware import limits as firmware_limits
from backend.firmware import routes as firmware_routes
from backend.firmware.hub_routes import hub_router as hub_firmware_router
from backend.guard import Guard
from backend.hub_api.routes import router as hub_router
from backend.identity.routes import router as enrolment_router
from backend.instruments import binding_routes
from backend.instruments.binding import CardBinding
from backend.instruments.limits import (
    BINDING_TRIES_ALL_PER_MINUTE_MAX,
    BINDING_TRIES_PER_MINUTE_MAX,
)
from backend.ledger import routes as ledger_routes
from backend.limits import JSON_BYTES_MAX
from backend.listing import routes as listing_routes
from backend.mandates import routes as mandate_routes
from backend.merchant_api.keys import routes as key_routes
from backend.merchant_api.papay import routes as contract_routes
from backend.merchant_api.partners import routes as partner_routes
from backend.merchant_api.v2.parts import PATHS as V2_PATHS
from backend.merchants import routes as merchant_routes
from backend.notify import routes as notify_routes
from backend.observability import flow_routes
from backend.observability.flow_desk import FlowDesk
from backend.observability.flow_watch import FlowWatch
from backend.observability.flows import Flow
from backend.observability.routes import router as health_router
from backend.offline import routes as offline_routes
from backend.openings import routes as opening_routes
from backend.openings.model import Openings
from backend.operator import limits as operator_limits
from backend.operator.auth import OperatorGuard
from backend.operator.pages import router as page_router
from backend.operator.routes import router as operator_router
from backend.passkeys.routes import answer_asked
from backend.pay_page import routes as page_routes
from backend.pay_page.desk import PageDesk
from backend.pay_page.limits import OPENINGS_ALL_PER_MINUTE_MAX, OPENINGS_PER_MINUTE_MAX
from backend.payments import routes as payment_routes
from backend.rate_limit import RateLimit
from backend.reconciliation import routes as break_routes
from backend.refunds import routes as refund_routes
from backend.risk.aml.reports import routes as report_routes
from backend.risk.cases import routes as case_routes
from backend.risk.devices import routes as fingerprint_routes
from backend.risk.judging import routes as decision_routes
from backend.risk.judging.explaining import Explainer
from backend.risk.labels import routes as label_routes
from backend.risk.lists import routes as list_routes
from backend.risk.models import routes as model_routes
from backend.risk.models.limits import MODEL_BYTES_MAX
from backend.risk.rules import routes as rule_routes
from backend.risk.rules.limits import FILE_BYTES_MAX
from backend.rollouts import routes as rollout_routes
from backend.rollouts.desk import RolloutDesk
from backend.routing import routes as channel_routes
from backend.sagas import routes as saga_routes
from backend.switches import routes as switch_routes
from backend.switches.desk import SwitchDesk
from backend.topups import routes as topup_routes
from backend.twins import routes as twin_routes
from backend.wallet import routes as wallet_routes
from backend.wallet.switch_desk import AnswerDroppedError, cut_off
from backend.wallet_page import routes as wallet_page_routes
from backend.withdrawals import routes as withdrawal_routes
from faces.routes import add_routes
from protocol.limits import BATCH_BYTES_MAX

KEPT_ELSEWHERE = ("/operator/v1/switches/", "/operator/v1/console/users", refund_routes.REFUNDS)
"""Below these, rooms write their own lines of the audit log."""


def hub_app(backend: Backend) -> ASGIApp:
    """What answers on the mutual-TLS port."""
    app = _application("Tillway hub interface", backend)
    add_routes(app, hub_router(backend.hub))
    add_routes(app, hub_firmware_router(backend.firmware, backend.hub.check))
    return BodyLimit(app, bytes_max=BATCH_BYTES_MAX)


def public_application(backend: Backend) -> FastAPI:
    """The public interface, as OpenAPI describes it."""
    lost = http_errors.LostPages()
    app = _application("Tillway backend", backend, lost)
    app.add_exception_handler(AnswerDroppedError, cut_off)
    answer_asked(app)
    operator = OperatorGuard(
        backend.state.operator_digest,
        _rate(
            backend,
            operator_limits.TOKEN_TRIES_PER_MINUTE_MAX,
            operator_limits.TOKEN_TRIES_ALL_PER_MINUTE_MAX,
        ),
    )
    joins = _rate(
        backend, backend.settings.joins_per_minute_max, operator_limits.JOINS_ALL_PER_MINUTE_MAX
    )
    guard, open_to_all = operator.api, backend.settings.metrics_open
    add_routes(
        app, health_router(backend.metrics, backend.is_ready, None if open_to_all else guard)
    )
    add_routes(
        app,
        enrolment_router(
            backend.enrolment, now_ms=backend.clock.now_ms, tries=joins, metrics=backend.metrics
        ),
    )
    add_routes(app, operator_router(backend.operator, guard))
    add_routes(app, page_router(backend.operator, operator.page))
    openings = None
    if backend.settings.opening_links:
        openings = Openings(backend.clock.now_ms, backend.services.entropy)
        add_routes(app, opening_routes.operator_router(openings, guard))
        add_routes(app, opening_routes.wallet_router(openings, backend.services))
    for router in (
        *_payment_routers(backend, guard, openings, lost),
        *_fleet_routers(backend, guard),
        *_console_routers(backend, guard, openings, lost),
    ):
        add_routes(app, router)
    return app


def _console_routers(
    backend: Backend, guard: Guard, openings: Openings | None, lost: http_errors.LostPages
) -> tuple[APIRouter, ...]:
    people = PeopleDesk(backend.services)
    operations = OperationsDesk(
        backend.services, backend.operator, backend.callbacks, backend.delivery.wake
    )
    tries = _rate(
        backend,
        console_limits.SIGN_INS_PER_MINUTE_MAX,
        console_limits.SIGN_INS_ALL_PER_MINUTE_MAX,
    )
    merchants = MerchantDesks(
        papers=backend.papers,
        bills=backend.merchant_api.bills,
        accounts=backend.merchant_api.accounts,
        ring=backend.merchant_api.ring,
        callbacks=CallbacksDesk(backend.services, backend.callbacks, backend.delivery.wake),
        explainer=Explainer(backend.services, backend.risk.desk),
    )
    return (
        console_people_routes.operator_router(StaffDesk(backend.services, people), guard),
        audit_routes.operator_router(backend.services, guard),
        flow_routes.operator_router(FlowDesk(backend.services), guard),
        switch_routes.operator_router(SwitchDesk(backend.services), guard),
        console_routes.router(
            backend.services, people, operations, tries, merchants, openings, lost
        ),
    )


def _fleet_routers(backend: Backend, guard: Guard) -> tuple[APIRouter, ...]:
    services = backend.services
    wrong_tokens = _rate(
        backend,
        firmware_limits.TOKEN_TRIES_PER_MINUTE_MAX,
        firmware_limits.TOKEN_TRIES_ALL_PER_MINUTE_MAX,
    )
    return (
        device_routes.operator_router(services, guard),
        twin_routes.operator_router(services, guard),
        firmware_routes.operator_router(backend.firmware, guard),
        update_routes.operator_router(services, guard),
        update_routes.device_router(update_routes.Asking(services, backend.firmware, wrong_tokens)),
        rollout_routes.operator_router(RolloutDesk(services), guard),
    )


def _payment_routers(
    backend: Backend, guard: Guard, openings: Openings | None, lost: http_errors.LostPages
) -> tuple[APIRouter, ...]:
    services = backend.services
    clearing = backend.clearing
    explainer = Explainer(services, backend.risk.desk)
    binding = _binding(backend)
    clears: tuple[APIRouter, ...]
    if clearing is None:
        clears = (clearing_absent.operator_router(guard),)
    else:
        clears = (
            clearing_routes.operator_router(clearing, guard),
            topup_routes.wallet_router(services, clearing.topups),
            bill_routes.operator_router(backend.papers, guard),
        )
    if binding is not None:
        clears = (*clears, binding_routes.wallet_router(services, binding))
    topups = None if clearing is None else clearing.topups
    sign = Signatures(services, PeopleDesk(services))
    pages = PageDesk(services, None if clearing is None else clearing.sagas.carry_on)
    page_tries = _rate(backend, OPENINGS_PER_MINUTE_MAX, OPENINGS_ALL_PER_MINUTE_MAX)
    return (
        *clears,
        page_routes.router(pages, page_tries),
        page_routes.operator_router(pages, guard),
        backend.merchant_api.router,
        backend.merchant_api.v2_router,
        backend.merchant_api.wallet_router,
        key_routes.operator_router(backend.merchant_api.accounts, backend.merchant_api.ring, guard),
        contract_routes.operator_router(backend.merchant_api.contracts, guard),
        partner_routes.operator_router(services, guard),
        wallet_routes.router(services),
        wallet_page_routes.router(
            services,
            topups,
            (backend.merchant_api.contracts, backend.merchant_api.agreed),
            openings,
            binding,
            lost,
        ),
        wallet_routes.operator_router(services, guard),
        merchant_routes.operator_router(services, guard),
        mandate_routes.operator_router(services, guard),
        listing_routes.operator_router(services, guard),
        refund_routes.operator_router(services, guard),
        payment_routes.operator_router(services, guard),
        saga_routes.operator_router(services, guard),
        channel_routes.operator_router(services, guard),
        withdrawal_routes.operator_router(services, guard),
        offline_routes.operator_router(services, guard),
        report_routes.operator_router(services, guard, backend.case_clock, sign),
        ledger_routes.operator_router(backend.ledger, guard),
        dispute_routes.operator_router(services, guard, ClosedDays()),
        coupon_routes.operator_router(services, guard),
        destination_routes.operator_router(services, guard),
        break_routes.operator_router(services, guard),
        case_routes.operator_router(services, guard, backend.case_clock, sign),
        label_routes.operator_router(services, guard),
        list_routes.operator_router(services, guard),
        decision_routes.operator_router(explainer, guard),
        model_routes.operator_router(services, guard, sign),
        rule_routes.operator_router(services, guard, backend.rule_desk, sign),
        fingerprint_routes.operator_router(services, guard, wake=backend.device_judge.wake),
        notify_routes.operator_router(
            services, guard, repository=backend.callbacks, wake=backend.delivery.wake
        ),
    )


def _binding(backend: Backend) -> CardBinding | None:
    """How payers add cards by their numbers; None where no channel makes agreements."""
    channel = None if backend.clearing is None else backend.clearing.institutions.cards
    if channel is None:
        return None
    tries = _rate(backend, BINDING_TRIES_PER_MINUTE_MAX, BINDING_TRIES_ALL_PER_MINUTE_MAX)
    return CardBinding(backend.services, channel, tries)


def public_app(backend: Backend) -> ASGIApp:
    """What answers on the public port."""
    timed = FlowWatch(
        public_application(backend),
        backend.metrics.flows,
        backend.clock,
        {Flow.MERCHANT_API: ("/v3/", *V2_PATHS), Flow.WALLET: ("/wallet/v1/",)},
    )
    application = OperatorActs(
        timed,
        backend.services,
        kept_elsewhere=KEPT_ELSEWHERE,
    )
    return BodyLimit(
        application,
        bytes_max=JSON_BYTES_MAX,
        answers_itself=("/v3/", *V2_PATHS),
        larger={
            model_routes.MODELS: MODEL_BYTES_MAX,
            rule_routes.RULES: FILE_BYTES_MAX,
            firmware_routes.FIRMWARE: firmware_limits.ARTIFACT_BYTES_MAX,
        },
    )


def _application(
    title: str, backend: Backend, lost: http_errors.LostPages | None = None
) -> FastAPI:
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    http_errors.install(app, backend.metrics, lost)
    return app


def _rate(backend: Backend, each_max: int, all_max: int) -> RateLimit:
    return RateLimit(
        now_ms=backend.clock.now_ms,
        window_ms=operator_limits.RATE_WINDOW_MS,
        each_max=each_max,
        all_max=all_max,
        callers_max=operator_limits.CALLERS_REMEMBERED_MAX,
    )
