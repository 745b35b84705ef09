"""Benchmarks beside real peers: `make bench`. Every figure is a ratio to Debian's Dovecot or Postfix in the same run."""
