"""The payer's wallet as pages, ``/wallet``: over the same desks as the JSON interface."""
