"""The charge point in OCPP 1.6 J (edition 2), with the security white paper left out."""
