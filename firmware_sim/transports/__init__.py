"""The ways a device's bytes reach a client, each named by a spec string (``spec.py``)."""
