"""Names to answers. `resolver` asks (the only door to dnspython), `lookups` knows what mail makes of the answers."""
