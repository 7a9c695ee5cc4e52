"""A prepaid meter that takes OpenPAYGO tokens, as a Modbus unit."""
