"""The hub's MQTT side: its own server for its terminals, and the twin on an external broker."""
