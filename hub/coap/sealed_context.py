"""What every OSCORE context of the hub does with messages, however its keys came about."""

from collections.abc import Callable
from typing import Any

import aiocoap
from aiocoap import error, oscore

Reseal = Callable[[aiocoap.Message, aiocoap.Message], None]
Sealed = tuple[aiocoap.Message, Any]


class SealedContext(oscore.CanProtect, oscore.CanUnprotect, oscore.SecurityContextUtils):  # type: ignore[misc]  # aiocoap has no types
    """A context that stands before aiocoap's in a class: what it cannot open is a protection error,
    whatever was wrong, and the message layer is told which sealed message carries which."""

    reseal: Reseal

    def protect(self, message: aiocoap.Message, *args: Any, **kwargs: Any) -> Sealed:  # noqa: ANN401
        """As aiocoap's."""
        sealed, request_id = super().protect(message, *args, **kwargs)
        self.reseal(message, sealed)
        return sealed, request_id

    def unprotect(self, message: aiocoap.Message, *args: Any, **kwargs: Any) -> Sealed:  # noqa: ANN401
        """As aiocoap's."""
        try:
            found: Sealed = super().unprotect(message, *args, **kwargs)
        except error.Error:
            raise
        except Exception as failure:  # noqa: BLE001  # outermost: a stranger's bytes
            raise oscore.ProtectionInvalid(type(failure).__name__) from None
        return found
