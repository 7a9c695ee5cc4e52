"""A shop on a fresh database, and a charger of each version at its hub."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.charging import ChargingStop
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, shop_of_two

MakeStop = Callable[..., ChargingStop]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with shop_of_two(migrated_sqlite(tmp_path / "backend.db")) as shop:
        yield shop


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def stop(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path) -> Iterator[MakeStop]:
    made: list[ChargingStop] = []

    def make(**options: Any) -> ChargingStop:
        made.append(ChargingStop(shop, tmp_path, request.param, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
