"""What is known about the payers, cards, devices and places of an event, as numbers over time."""
