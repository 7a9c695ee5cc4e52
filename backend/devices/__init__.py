"""Who may speak: stores, hubs and devices, their keys and their status."""
