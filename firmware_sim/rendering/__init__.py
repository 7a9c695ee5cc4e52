"""Pictures: what the camera sees and what the paper shows."""
