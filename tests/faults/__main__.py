"""`python -m tests.faults AREA --cases N --seed S --json FILE`."""

from tests.faults.kill import kill
from tests.harness import faults

faults({"kill": kill})
