"""The desktop window: a client of the admin API, never the owner of the server.

Enter at `ui.window.MainWindow`. Pages draw, presenters decide what is said, `ui.session` owns the link to the server.
Nothing here imports more of the backend than `backend.api`.
"""
