"""What the operator of the installation may do and see."""
