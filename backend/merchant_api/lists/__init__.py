"""A merchant's payments and refunds for its programs, by filter: ours, not WeChat Pay's."""
