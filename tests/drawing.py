"""Settings of the tests that draw what they are given: the same each time, but in the long form."""

from hypothesis import HealthCheck, settings

#: How many times as much the long form draws.
LONG_TIMES = 30
LONG = "long"


def drawing(examples: int) -> settings:
    """So many examples, none of them timed."""
    is_long = settings.get_current_profile_name() == LONG
    return settings(
        max_examples=examples * (LONG_TIMES if is_long else 1),
        deadline=None,
        derandomize=not is_long,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
