"""The composition root: builds every service from the configuration and runs them. No other package wires objects.

Called by `app.serve` alone.
"""
