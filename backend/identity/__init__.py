"""Who is who: the CA, one-time codes, and the service through which machines join."""
