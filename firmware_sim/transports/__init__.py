"""The ways a device's bytes reach a client, each named by a spec string.

``memory:`` and ``pty`` exist. ``tcp:HOST:PORT``, ``rfc2217:HOST:PORT`` and ``serial:/dev/…`` are
reserved names: they are refused with a sentence, not silently taken for something else.
"""
