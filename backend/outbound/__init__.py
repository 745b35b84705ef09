"""The life of a message going out: submitted, queued, tried, and either taken by another server or reported back.

Entry points: `submit.Submitter` (from submission and the API), `service.Outbound` (runs the queue). It delivers to our
own mailboxes only through the callable that it is given.
"""
