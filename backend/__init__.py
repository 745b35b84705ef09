"""The mail server: everything that runs in the background process."""
