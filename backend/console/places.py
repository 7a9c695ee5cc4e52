"""What merchants, stores and the places of devices are called, for pages that have their ids."""

from collections.abc import Iterable

from backend.db.tables import Row
from backend.devices.repository import DeviceRepository
from backend.merchants.repository import MerchantRepository
from backend.payments.services import Services
from backend.switches.model import SwitchKind


async def names_of(
    services: Services, rows: Iterable[Row], subjects: Iterable[tuple[str, str]] = ()
) -> dict[str, str]:
    """The names of the merchants and stores of a page's rows, by id, and of its ``subjects``, each
    a kind and an id: a device has its store's. Who has none is left out."""
    seen, named = list(rows), list(subjects)
    merchants = {row["merchant_id"] for row in seen if row.get("merchant_id")}
    merchants |= {key for kind, key in named if kind == SwitchKind.MERCHANT}
    stores = {row["store"] for row in seen if row.get("store")}
    devices = {key for kind, key in named if kind == SwitchKind.DEVICE}

    def read() -> dict[str, str]:
        registry = DeviceRepository(services.reader)
        found = MerchantRepository(services.reader).names(merchants) if merchants else {}
        found |= registry.store_names(stores) if stores else {}
        return found | (registry.stores_of(devices) if devices else {})

    names: dict[str, str] = await services.run_read(read)
    return {key: name for key, name in names.items() if name}
