"""Figures are read on although the store was away for a while."""

import asyncio

import pytest

from backend.observability.figures import keep_reading
from protocol.errors import OperatingError
from tests.kit.patience import PATIENCE_S


@pytest.mark.asyncio
async def test_a_store_that_is_away_ends_no_reading() -> None:
    reads = 0

    async def read() -> None:
        nonlocal reads
        reads += 1
        if reads == 1:
            raise OperatingError("busy")
        if reads == 3:
            raise LookupError

    with pytest.raises(LookupError):
        await asyncio.wait_for(keep_reading(read, every_s=0), PATIENCE_S)
    assert reads == 3
