"""The SMTP servers: port 25 (`receive`) and submission on 587 and 465 (`submission`), on one listener; `guard` bounds them."""
