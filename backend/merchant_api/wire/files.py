"""Files among the answers of API v3."""

import zlib
from collections.abc import Iterator

from starlette.responses import StreamingResponse

_GZIP_WINDOW_BITS = 31


class UnsignedFile(StreamingResponse):
    """The one answer that is not signed, as documented: whoever downloads a file compares its
    hash, which stood in a signed answer."""


def gzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, packed."""
    packer = zlib.compressobj(wbits=_GZIP_WINDOW_BITS)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
