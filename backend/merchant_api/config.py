"""The ``[merchant_api]`` table of the backend's configuration."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.merchant_api.limits import REFUND_GAP_S, REFUND_GAP_S_MAX
from backend.sharing.limits import SHARE_AFTER_S, SHARE_BPS_MAX


class MerchantApiSettings(BaseModel):
    """How merchants' programs are served."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sandbox: bool = False
    """Certain amounts provoke certain outcomes; see ``docs/merchant-api.md``. Never where real
    money moves."""
    public_url: Annotated[str, Field(pattern=r"^(https?://[^/?#\s]+)?$")] = ""
    """The base of the addresses that answers name (a bill's download), as the program knows it:
    ``https://api.mch.weixin.qq.com`` where names are redirected. Empty: where the call came to."""
    signature_probes_every: Annotated[int, Field(ge=0)] = 0
    """Of how many answers, and of how many callbacks, one carries a signature that is wrong on
    purpose and begins with ``WECHATPAY/SIGNTEST/``. 0: none; 1: all answers, and the first try of
    every callback."""
    share_bps_max: Annotated[int, Field(ge=0, le=10_000)] = SHARE_BPS_MAX
    """How much of a payment's amount its receivers get at most, in ten-thousandths."""
    share_after_s: Annotated[int, Field(ge=0, le=SHARE_AFTER_S)] = SHARE_AFTER_S
    """How long after it was paid an order may be shared."""
    refund_gap_s: Annotated[int, Field(ge=0, le=REFUND_GAP_S_MAX)] = REFUND_GAP_S
    """How far apart the refunds of one order must be."""
