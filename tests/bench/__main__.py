"""`python -m tests.bench NAME --json FILE`."""

from tests.bench.demo import demo
from tests.harness import bench

bench({"demo": demo})
