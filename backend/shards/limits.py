"""Every bound of the shards, with its unit in the name."""

BUCKETS = 4096
"""Owners are hashed to buckets, buckets lie on shards: a shard is split by moving buckets."""
SHARDS_MAX = 256
CROSSINGS_PER_BATCH_MAX = 1024
"""What one read, one command and so one commit of the relay carries at most."""
CROSSINGS_UNDER_WAY_MAX = 65_536
"""On one lane. A peer that is away for longer makes new crossings to it *busy*."""
DETAILS_CHARS_MAX = 2048
"""What a payer's side may tell the payee's."""
RELAY_POLL_MS = 10
"""How long a lane waits at least before it asks its peer again; meanwhile a batch gathers."""
RELAY_POLLS_PER_S_MAX = 500
"""Of all lanes of a shard: with many peers each is asked less often."""
RELAY_PAUSE_MS = 1_000
"""How long it waits when the peer, or our own writer, could not be reached."""
FOUNDING_BYTES = 16
VERIFY_CROSSINGS_PER_READ = 500
