"""What every page of the wallet stands on."""

from dataclasses import dataclass

from fastapi import Request

from backend.payments.services import Services
from backend.wallet.desk import WalletDesk
from backend.wallet_page.face import Face
from backend.wallet_page.session import Form, Session, check_form, read_form, token_of
from protocol import ids


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParts:
    """One per process."""

    services: Services
    desk: WalletDesk
    face: Face

    async def session(self, request: Request) -> Session:
        """Who is signed in; ``not_authorized`` where nobody is."""
        token = token_of(request)
        return Session(await self.desk.authenticate(token), token)

    async def posted(self, request: Request) -> tuple[Session, Form]:
        """Who has sent a form of our pages, and what stands in it."""
        form = await read_form(request)
        session = await self.session(request)
        check_form(session, form)
        return session, form

    def mint(self, prefix: str) -> str:
        """A new id, for what a page begins."""
        services = self.services
        luck = services.entropy.token_bytes(ids.RANDOM_BYTES)
        return ids.mint(prefix, time_ms=services.clock.now_ms(), random_bytes=luck)
