"""What the tools ask for."""

from typing import Annotated

from pydantic import Field

from backend.merchant_api.limits import TEXT_CHARS_MAX
from backend.merchant_api.v2.asked import V2Asked
from backend.merchant_api.wire.asked import AppId


class CodeToOpenId(V2Asked):
    """``POST /tools/authcodetoopenid``: from now on the code pays this merchant and nobody else."""

    appid: AppId
    auth_code: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX, repr=False)]


class SignKey(V2Asked):
    """``POST /sandboxnew/pay/getsignkey``: what calls to the sandbox are signed with."""
