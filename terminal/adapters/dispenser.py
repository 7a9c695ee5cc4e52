"""The spiral motors of a vending machine that is not connected: it writes down what fell."""

import structlog

log = structlog.get_logger("terminal.dispenser")


class RecordingDispenser:
    """As ``Dispenser``: remembers what it gave out. A motor board gets its own adapter later."""

    def __init__(self) -> None:
        self.items: list[str] = []

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``."""
        self.items.append(item)
        log.info("item_dispensed", item=item)
