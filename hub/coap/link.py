"""What the shell needs of the CoAP side."""

from typing import Protocol


class CoapLink(Protocol):
    """The CoAP server as the shell sees it."""

    @property
    def edhoc_key(self) -> bytes | None:
        """What a device needs to agree on protection with this hub; None where there is none."""
        ...

    async def notify(self, tid: str, payload: bytes) -> bool:
        """Give a parcel to a device that observes; True when the device acknowledged it."""
        ...

    def bind_source(self, tid: str, source: str) -> None:
        """A device's signed envelope came from this endpoint and was accepted."""
        ...

    def disconnect(self, tid: str) -> None:
        """End a device's observation and forget its endpoint."""
        ...

    def publish_hub_state(self, payload: bytes) -> None:
        """Say how the hub is to everybody who observes it."""
        ...
