"""What a run found: for machines as JUnit XML, for people as one HTML page."""
