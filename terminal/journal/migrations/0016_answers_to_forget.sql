-- Answers by their age, and those about one thing; the refunds of a payment.
CREATE INDEX answers_age ON answers (at_ms);
CREATE INDEX answers_subject ON answers (subject, at_ms);
CREATE INDEX refunds_payment ON refunds (payment_id);
