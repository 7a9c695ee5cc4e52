"""The charge point in OCPP 2.0.1 (edition 2)."""
