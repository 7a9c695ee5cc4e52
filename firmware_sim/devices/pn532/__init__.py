"""The PN532 contactless reader and the cards that people hold to it.

Rule 1: the reader and a card meet in ``Card.transceive`` only: frames as they fly, without their
checksum, which the air adds on both sides.
Rule 2: a card outlives its stay in the field. What it keeps in memory stays; what it has been told
since it was selected is gone when the field is.
"""
