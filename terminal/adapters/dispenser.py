"""The dispenser of a machine without one: it says of every item that it fell, and writes it down.

For the demo and for tests. A motor board gets an adapter of its own, which asks its drop sensor.
"""

import structlog

log = structlog.get_logger("terminal.dispenser")


class RecordingDispenser:
    """As ``Dispenser``: remembers what it gave out."""

    def __init__(self) -> None:
        self.items: list[str] = []

    async def dispense(self, item: str) -> None:
        """As ``Dispenser.dispense``."""
        self.items.append(item)
        log.info("item_dispensed", item=item)
