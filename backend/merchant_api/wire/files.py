"""Files among the answers of API v3."""

from starlette.responses import StreamingResponse


class UnsignedFile(StreamingResponse):
    """The one answer that is not signed, as documented: whoever downloads a file compares its
    hash, which stood in a signed answer."""
