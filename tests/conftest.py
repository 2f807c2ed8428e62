"""What every test shares: one shape of Hypothesis run, the same examples every time."""

from hypothesis import HealthCheck, settings

# Derandomised, so that a failure on one machine is a failure on every machine; no deadline,
# because a busy machine is no defect. `--hypothesis-profile thorough` looks further.
settings.register_profile(
    "xuka",
    derandomize=True,
    deadline=None,
    max_examples=100,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("xuka")
