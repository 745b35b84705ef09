"""RFC 5322 and MIME as pure functions over bytes: what a message says, and how one is built.

Start at `digest.py` (all that the store keeps) and `scan.py` (the tree of parts). Nothing here does I/O, logs, asks the
time or draws randomness, and nothing raises on a malformed message.
"""
