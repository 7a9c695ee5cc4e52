"""The base of everything that is wanted of the backend in JSON."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from protocol.messages.base import check_characters


class Wanted(BaseModel):
    """A JSON object with these fields and no others. Its texts, also in lists, hold no control
    character: one that a database refuses would be refused again at every retry."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _check_texts(cls, value: Any) -> Any:  # noqa: ANN401  # of every field
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                check_characters(text)
        return value
