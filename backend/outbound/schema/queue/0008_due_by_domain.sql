-- What is due for domains that are not being delivered to is found without a look at the rows of those that are.
DROP INDEX recipient_due;
CREATE INDEX recipient_due ON recipient (state, next_attempt_at, domain);
