"""How our programs are reached: TLS on the lines between them, and the servers of their pages; not
what is said there."""
