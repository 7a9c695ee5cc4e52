"""The maxima of device fingerprints."""

ATTRIBUTES_MAX = 128
"""Attributes of one reading, the parts of nested ones counted."""

DEPTH_MAX = 3
"""How deep an attribute may be nested."""

ITEMS_MAX = 512
"""Members of one attribute that is a set or a curve."""

TEXT_CHARS_MAX = 1024
"""Characters of one value."""

READINGS_KEPT_MAX = 48
"""Noisy readings of one device that a new one is compared with, to know a replay."""

VALUES_KEPT_MAX = 8
"""Earlier values of one attribute of one device."""

LINE_BYTES_MAX = 262_144
"""One observation as a line of a file."""
