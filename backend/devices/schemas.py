"""How a request says which devices it means."""

from typing import Annotated

from pydantic import Field

from backend.devices.limits import SELECTED_DEVICES_MAX
from backend.devices.selection import Selection
from backend.wanted import Wanted
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX

_Word = Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)]


class Chosen(Wanted):
    """Which devices are meant; all that is said must hold."""

    store: _Word = ""
    tag: _Word = ""
    text: _Word = ""
    tids: Annotated[list[_Word], Field(max_length=SELECTED_DEVICES_MAX)] = Field(
        default_factory=list
    )

    def selection(self) -> Selection:
        """The same for the registry; ``field_invalid`` for no condition at all."""
        found = Selection(store=self.store, tag=self.tag, text=self.text, tids=tuple(self.tids))
        if found.is_empty:
            raise CallerError("field_invalid", "devices: say which")
        found.check()
        return found
