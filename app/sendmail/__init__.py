"""The drop-in for /usr/sbin/sendmail: one message from standard input to a mail server, with sign-in (behaviour T12).

A program of its own beside the window and the command line, because cron and scripts start it for every message: of
the backend it uses the protocol cores alone, with blocking sockets. `command` is the entry point.
"""
