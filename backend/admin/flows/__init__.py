"""Wizards that the server leads through: kept on disk, gone on with after a restart, applied at one step."""
