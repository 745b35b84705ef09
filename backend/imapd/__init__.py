"""The IMAP server: sockets, sessions and commands over `backend.imap` and `backend.store`.

Way in: `server.ImapServer`, whose `protocol_factory` goes to a listener. A new command: its value and its state in
`backend.imap` (`commands`, `parse`, `states`, perhaps `capability`), its function in `commands/`, one line in the table there.
"""
