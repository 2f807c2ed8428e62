"""docs/states.md is what the code says."""

from bot.domain.broadcasts import BROADCAST
from bot.domain.campaigns import POST, POSTING
from bot.domain.orders import ORDER, PAYMENT, REFUND, TOPUP
from bot.domain.renewals import AGREEMENT, RUN
from tests import docs


def test_the_page_is_equal_to_the_tables() -> None:
    assert docs.STATES.read_text("utf-8") == docs.states(), "run: python -m tests.docs"


def test_the_page_draws_every_state_of_every_machine() -> None:
    text = docs.states()
    assert text.count("```mermaid") == 9
    sale = [*ORDER, *PAYMENT, *TOPUP, *REFUND, *AGREEMENT, *RUN]
    for state in [*sale, *POSTING, *POST, *BROADCAST]:
        assert f" {state}\n" in text
