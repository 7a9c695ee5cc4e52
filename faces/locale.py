"""Which language a page is in: its parameter ``lang``, else the cookie of the last choice, else
the face's own, which is Chinese where nobody has said another.
"""

from fastapi import Request, Response

from faces.limits import LANGUAGE_KEPT_S
from faces.words import LANGUAGES, Language

PARAMETER = "lang"
COOKIE = "lang"


def language_of(request: Request, default: Language = LANGUAGES[0]) -> Language:
    """The language that this request asks for; ``default`` where it asks for none."""
    for asked in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        for known in LANGUAGES:
            if asked == known:
                return known
    return default


def remember(request: Request, response: Response) -> None:
    """Keep a choice that the address made, for the pages after it."""
    if request.query_params.get(PARAMETER) in LANGUAGES:
        response.set_cookie(
            COOKIE, language_of(request), max_age=LANGUAGE_KEPT_S, samesite="lax", path="/"
        )
