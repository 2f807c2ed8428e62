"""The parts of the documentation that are made from the code.

`python -m tests.docs` writes docs/states.md and docs/reminders.md again; tests keep them equal.
"""

from pathlib import Path

from bot.domain.broadcasts import BROADCAST
from bot.domain.campaigns import POST, POSTING
from bot.domain.orders import ORDER, PAYMENT, REFUND, TOPUP, diagram
from bot.domain.renewals import AGREEMENT, RUN
from tests.docs_reminders import page

STATES = Path(__file__).parent.parent / "docs" / "states.md"

REMINDERS = STATES.with_name("reminders.md")

INTRODUCTION = """\
# The state machines

Made from the tables in `bot/domain/orders.py`, `renewals.py`, `campaigns.py` and `broadcasts.py`
by `python -m tests.docs`; don't edit it by hand.

The store moves a row only along these arrows, by compare-and-set: whoever comes second finds the
row moved already and looks again. Every move is recorded with its reason and its time.
"""


def states() -> str:
    """The whole of docs/states.md."""
    machines = [
        (diagram("Order", ORDER), "What the customer bought."),
        (
            diagram("Payment attempt", PAYMENT),
            "One try to pay an order. Money is accepted from every state that does not hold it\n"
            "already: money that comes late is honoured or returned, never dropped.",
        ),
        (
            diagram("Top-up", TOPUP),
            "One purchase at a supplier. An answer that never came is `unknown`: the supplier is\n"
            "asked before anything is sent again.",
        ),
        (
            diagram("Refund", REFUND),
            "Money that goes back from one payment, whole or in part. It is saved before anybody\n"
            "is called, and asked for under its own id: a provider returns it once.",
        ),
        (
            diagram("Agreement", AGREEMENT),
            "A customer's word that one SIM may be renewed by itself. One that a wallet or a card\n"
            "kept before pays is `active` from its first moment; what has ended is taken up again\n"
            "only when Telegram charges a subscription that was given up here.",
        ),
        (
            diagram("Renewal", RUN),
            "One period of one SIM under an agreement; there is never a second one of the same.\n"
            "Late money finds it, whatever it had come to.",
        ),
        (
            diagram("Posting", POSTING),
            "What a group's admin decided to post, once or again and again. What lost its ground\n"
            "(rights, the operator's yes, an open topic) is `held` with a reason; one whose offer\n"
            "or last date is over is `done`.",
        ),
        (
            diagram("Post", POST),
            "One message in a group, one for each turn of a posting. One whose answer was lost is\n"
            "`unsure`: it sells, and is never sent again. An ended one says so.",
        ),
        (
            diagram("Broadcast", BROADCAST),
            "News to many. A paused or stopped one sends nothing further; what it had sent stays.",
        ),
    ]
    parts = [INTRODUCTION]
    for drawing, meaning in machines:
        heading, picture = drawing.split("\n", 1)
        parts.append(f"{heading.removeprefix('#')}\n\n{meaning}\n{picture}")
    return "\n".join(parts)


if __name__ == "__main__":
    STATES.write_text(states(), "utf-8")
    REMINDERS.write_text(page(), "utf-8")
