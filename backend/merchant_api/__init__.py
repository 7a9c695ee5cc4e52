"""The WeChat-Pay-compatible interface for merchants' programs, over the one payment engine."""
