"""The life of a message coming in: whose is it (`recipients`), what is known (`pipeline`), what follows (`decide`), into the store (`deliver`)."""
