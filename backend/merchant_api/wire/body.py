"""What a proven call's body must be before it is parsed: JSON in UTF-8, as it is."""

import re

from backend.merchant_api.faults import PARAM_ERROR, ApiError

_JSON = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-?8\"?\s*)?", re.IGNORECASE)


def check_body(body: bytes, *, content_type: str, content_encoding: str) -> None:
    """``PARAM_ERROR`` that names the header, or says that the text is none. Nothing is asked of a
    call without a body."""
    if not body:
        return
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise _wrong("Content-Encoding", "请求体不得压缩")
    if _JSON.fullmatch(content_type.strip()) is None:
        raise _wrong("Content-Type", "须为 application/json，编码 UTF-8")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiError(PARAM_ERROR, "请求体不是 UTF-8 编码") from None
    if "\0" in text:  # UTF-16 or UTF-32 of Latin letters is UTF-8, too
        raise ApiError(PARAM_ERROR, "请求体不是 UTF-8 编码")


def _wrong(header: str, issue: str) -> ApiError:
    where = {"field": header, "issue": issue, "location": "header"}
    return ApiError(PARAM_ERROR, f"{header} {issue}", where=where)
