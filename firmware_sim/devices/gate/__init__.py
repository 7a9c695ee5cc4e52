"""A car park's exit: a barrier with a loop before it, as a Modbus unit."""
