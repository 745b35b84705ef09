"""What the operator sees: logs, metrics, open problems, each message's timeline."""
