"""The hub's CoAP side (RFC 7252, RFC 7641), on aiocoap."""
