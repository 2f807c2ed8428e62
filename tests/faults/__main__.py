"""`python -m tests.faults AREA --cases N --seed S --json FILE`."""

from tests.faults.carriers import carriers
from tests.faults.groups import groups
from tests.faults.kill import kill
from tests.faults.payments import payments
from tests.faults.reminders import reminders
from tests.harness import faults

faults({
    "carriers": carriers, "kill": kill, "reminders": reminders, "payments": payments,
    "groups": groups,
})  # fmt: skip
