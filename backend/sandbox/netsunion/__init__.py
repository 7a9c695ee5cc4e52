"""The clearing house of bank accounts (网联), and its member banks' customers."""
