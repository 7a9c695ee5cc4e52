from collections.abc import Iterator

import pytest

from tests.support.banks import BankWorld, bank_world


@pytest.fixture
def world() -> Iterator[BankWorld]:
    with bank_world() as found:
        found.fund(100_000)
        yield found
