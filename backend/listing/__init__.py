"""Lists of payments and refunds by filter: one question for the console, the API and the CLI."""
