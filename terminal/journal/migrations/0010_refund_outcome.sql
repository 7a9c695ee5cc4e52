-- When a refund's outcome became known, to hold it against what a supervisor took it for.
ALTER TABLE refunds ADD COLUMN settled_at_ms INTEGER;
