"""The charge point of an EV charger, speaking OCPP 1.6 J (``v16``) or OCPP 2.0.1 (``v201``).

What both versions share is here: the outlets and their meters, the book of tokens, the settings,
the queue of transaction messages, the calls in flight, the firmware update and the dialling. What
a version says and answers is in its own package.
"""
