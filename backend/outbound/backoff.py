"""When is the next attempt, and how long do we go on? (behaviour T13) Pure."""

MAX_ATTEMPTS = 8  # when nothing else is set
MOST_ATTEMPTS = 12  # that may be set: the last one is then ten days after the first
DELAY_NOTICE_AFTER = 5  # failed attempts after which the sender hears of the delay
FIRST_DELAY_S = 450.0
MIN_JITTER_S = -5
MAX_JITTER_S = 4


def next_delay_s(attempts_before: int, jitter_s: float = 0.0) -> float:
    """From one attempt to the one after it. `attempts_before` were made before this one: 0 gives 7.5 minutes, 6 gives 8 hours.

    Attempts then stand at 0, 7m30, 22m30, 52m30, 1h52, 3h52, 7h52 and 15h52. Jitter of -5 to 4 seconds keeps messages
    that failed together from coming back together.
    """
    jitter_s = min(max(jitter_s, MIN_JITTER_S), MAX_JITTER_S)
    return (FIRST_DELAY_S + jitter_s) * float(2 ** min(attempts_before, MOST_ATTEMPTS))


def remaining_delays_s(attempts: int, max_attempts: int = MAX_ATTEMPTS) -> tuple[float, ...]:
    """The waits that lie between now, with `attempts` made, and the last attempt; empty when that was it."""
    return tuple(next_delay_s(n - 1) for n in range(max(attempts, 1), max_attempts))


def last_attempt_at(
    attempts: int, next_attempt_at: float, max_attempts: int = MAX_ATTEMPTS
) -> float:
    """When the last attempt will be, with the next one at `next_attempt_at`: for Will-Retry-Until."""
    return next_attempt_at + sum(remaining_delays_s(attempts, max_attempts)[1:])
