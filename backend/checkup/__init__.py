"""Is everything around the server as it should be? `records` says which DNS records a domain needs, `dns` compares them.

`survey` asks (the authoritative servers first), `compare` judges without asking; the result is data for both faces.
"""
