"""What merchants and stores are called, for pages that have their ids."""

from collections.abc import Iterable

from backend.db.tables import Row
from backend.devices.repository import DeviceRepository
from backend.merchants.repository import MerchantRepository
from backend.payments.services import Services


async def names_of(services: Services, rows: Iterable[Row]) -> dict[str, str]:
    """The names of the merchants and stores of a page's rows, by id; who has none is left out."""
    seen = list(rows)
    merchants = {row["merchant_id"] for row in seen if row.get("merchant_id")}
    stores = {row["store"] for row in seen if row.get("store")}

    def read() -> dict[str, str]:
        found = MerchantRepository(services.reader).names(merchants)
        return found | DeviceRepository(services.reader).store_names(stores)

    names: dict[str, str] = await services.run_read(read)
    return {key: name for key, name in names.items() if name}
