"""The central system of a store's EV chargers: OCPP in, payments out."""
