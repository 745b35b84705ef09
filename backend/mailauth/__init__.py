"""Proof that mail is really from whom it says: DKIM signatures and their keys."""
