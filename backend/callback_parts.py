"""The delivery of callbacks, built by hand: from the database, or a broker, to merchants."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from backend.config import Settings
from backend.notify.database_queue import DatabaseQueue
from backend.notify.deliverer import CallbackDeliverer
from backend.notify.figures import CallbackFigures
from backend.notify.http_sender import HttpSender
from backend.notify.limits import CALLBACK_FIGURES_EVERY_S
from backend.notify.ports import CallbackForm, CallbackQueue
from backend.notify.repository import CallbackRepository
from backend.observability.figures import keep_reading
from backend.observability.metrics import Metrics
from backend.payments.services import Services
from protocol.crypto.keys import SigningKey


class CallbackDelivery:
    """What delivers callbacks and counts them, from ``start`` to ``close``."""

    def __init__(
        self,
        services: Services,
        settings: Settings,
        *,
        repository: CallbackRepository,
        metrics: Metrics,
        signing_key: SigningKey,
        forms: Mapping[str, CallbackForm],
    ) -> None:
        self._services = services
        self._settings = settings
        self._repository = repository
        self._metrics = metrics
        self._signing_key = signing_key
        self._forms = forms
        self._sender: HttpSender | None = None
        self._deliverer: CallbackDeliverer | None = None

    def start(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Open what needs the event loop; the loops that are to be run now, by name."""
        services = self._services
        self._sender = HttpSender(
            allows_private_addresses=self._settings.callbacks_to_private_addresses
        )
        self._deliverer = CallbackDeliverer(
            queue=self._queue(),
            sender=self._sender,
            signing_key=self._signing_key,
            clock=services.clock,
            entropy=services.entropy,
            metrics=self._metrics,
            forms=self._forms,
        )
        figures = CallbackFigures(
            repository=self._repository,
            run_read=services.run_read,
            clock=services.clock,
            metrics=self._metrics,
        )
        return {
            "callbacks": self._deliverer.run,
            "callback_figures": partial(
                keep_reading, figures.read, every_s=CALLBACK_FIGURES_EVERY_S
            ),
        }

    def wake(self) -> None:
        """Make the deliverer look at once. On the event loop."""
        if self._deliverer is not None:
            self._deliverer.wake()

    async def close(self) -> None:
        """Close the connections, once the loops have ended."""
        if self._sender is not None:
            await self._sender.close()

    def _queue(self) -> CallbackQueue:
        services = self._services
        broker_url = self._settings.queue_address()
        if not broker_url:
            return DatabaseQueue(
                submit=services.submit,
                run_read=services.run_read,
                repository=self._repository,
                clock=services.clock,
            )
        # Imported here, because a backend without a broker needs no client.
        from backend.notify.rabbit_queue import RabbitQueue

        return RabbitQueue(
            broker_url,
            submit=services.submit,
            run_read=services.run_read,
            repository=self._repository,
            clock=services.clock,
            metrics=self._metrics,
        )
