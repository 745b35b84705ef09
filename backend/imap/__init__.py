"""IMAP4rev1 and rev2 without a socket: bytes to commands, values to answers, one session's picture of a mailbox.

Way in: `wire.CommandReader` cuts the stream, `parse.parse` gives a command's value; way out: `responses` and `fetch`.
Neighbours: `backend.imapd` is the shell around it, `backend.store` evaluates `search`, `backend.message` knows MIME.
"""
