"""What an operator says of a static code."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.pay_page.limits import LABEL_CHARS_MAX
from protocol.messages.base import Name


class NewStaticCode(BaseModel):
    """Whose it is, and where it hangs."""

    model_config = ConfigDict(extra="forbid")

    merchant_id: Name
    label: Annotated[str, Field(min_length=1, max_length=LABEL_CHARS_MAX)]
