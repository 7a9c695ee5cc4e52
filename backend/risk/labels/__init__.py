"""What became known of payments: fraud, or genuine."""
