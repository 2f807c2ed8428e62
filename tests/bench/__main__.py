"""`python -m tests.bench NAME --json FILE`; of the reminders also `--sims N`."""

from tests.bench.demo import demo
from tests.bench.reminders import reminders
from tests.harness import bench

bench({"demo": demo, "reminders": reminders})
