"""Starts, stops and finds the two processes: the server and the window."""
