"""Fault injection: schedules of faults drawn from a seed, run on the real parts and judged (`pipenv run chaos`)."""
