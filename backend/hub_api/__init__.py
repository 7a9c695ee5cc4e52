"""What hubs talk to: batches in, answers and pushes out, over mutual TLS."""
