"""Who is trusted, blocked or watched, by whose word and until when."""
