"""Forms that our own pages send.

Rule: what changes something comes by a form that carries the page's own token, made from the
      session's: who cannot read our pages cannot make it. A form from another site is refused
      before anything is read, also the one that signs in.
"""

import hmac
from urllib.parse import parse_qs

from fastapi import Request

from protocol.errors import CallerError
from protocol.messages.base import check_characters

_TOKEN_FIELD = "page"  # noqa: S105  # a field's name
_OWN_SITES = frozenset({"same-origin", "none"})

Form = dict[str, str]


async def read_form(request: Request, *, bytes_max: int, fields_max: int) -> Form:
    """The fields of a form of our own site, the first of each name, a text of several lines as one;
    ``not_authorized`` for one of another site, ``field_invalid`` for what is no form."""
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise CallerError("not_authorized")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise CallerError("field_invalid", "form")
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=fields_max, errors="strict")
        form = {name: " ".join(values[0].splitlines()) for name, values in fields.items()}
        for value in form.values():
            check_characters(value)
    except ValueError:
        raise CallerError("field_invalid", "form") from None
    return form


def check_form(form: Form, page_token: str) -> None:
    """``not_authorized`` for a form that is not from the pages of this token's session."""
    told = form.get(_TOKEN_FIELD, "")
    if not hmac.compare_digest(told.encode(), page_token.encode()):
        raise CallerError("not_authorized")
