"""The terminal's durable memory: what it asked, what it was told, what it printed."""
