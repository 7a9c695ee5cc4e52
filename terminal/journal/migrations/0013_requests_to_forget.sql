-- The requests of which something is left to forget, among all that there ever were about a subject.
CREATE INDEX requests_to_forget ON requests (subject)
WHERE state = 'open' OR body IS NOT NULL OR sealed IS NOT NULL;
