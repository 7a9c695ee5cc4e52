"""The console: pages for merchants and operators."""
