"""Conversations with channels: one durable row each, carried on until the channel has answered."""
