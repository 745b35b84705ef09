"""Forms as resources: read, checked, saved; all through the configuration store."""
