"""An order in words: who tops it up, whose word it is that it arrived, and what the desk reads."""

from dataclasses import replace

import pytest

from bot.chat.shop import Merchant
from bot.chat.views import orders as views
from bot.chat.views import queue
from bot.chat.views.sale import Sale
from bot.domain.orders import OrderState
from bot.domain.sims import Sim
from bot.i18n import words
from bot.services.waiting import Action, Kind, QueueItem
from tests.unit.store.samples import NOW, managed, order, sim, topup

T = words("en")
MERCHANT = Merchant(name="Acme")


def running(one: Sim, supplier: str) -> str:
    """The message of an order that is being topped up."""
    made = order(state=OrderState.TOPPING_UP)
    made = replace(made, plan=replace(made.plan, supplier=supplier))
    sale = Sale(order=made, sim=one, topup=None, payment=None, merchant=MERCHANT)
    return views.order_screen(T, sale, NOW).text


@pytest.mark.parametrize(
    ("one", "supplier", "said"),
    [
        (managed(), "esim_access", "Checked on the SIM"),
        (sim(), "reloadly", "Confirmed by the network"),
        (sim(), "manual", "Confirmed by our shop"),
        (managed(), "manual", "Confirmed by our shop"),
        (managed(), "reloadly", "Confirmed by the network"),
    ],
)
def test_the_steps_name_whose_word_it_is(one: Sim, supplier: str, said: str) -> None:
    steps = ("Checked on the SIM", "Confirmed by the network", "Confirmed by our shop")
    assert [step for step in steps if step in running(one, supplier)] == [said]


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        (Kind.BY_HAND, "accepted", "A paid renewal waits for you to top it up by hand."),
        (Kind.TOPUP, "not_found", "the supplier does not know it"),
        (Kind.TOPUP, "no_money", "Our shop can't top up this SIM right now."),
    ],
)
def test_the_desk_says_a_reason_that_is_known(kind: Kind, reason: str, said: str) -> None:
    assert said in item(kind, reason)


def test_the_desk_says_nothing_rather_than_a_wrong_reason() -> None:
    assert "refused" not in item(Kind.TOPUP, "a_suppliers_own_code")


def item(kind: Kind, reason: str) -> str:
    """One matter of the queue."""
    one = QueueItem(
        subject="order:o1", kind=kind, since=NOW, actions=(Action.REFUND,), reason=reason,
        order=order(), topup=topup(),
    )  # fmt: skip
    return queue.item(T, one, NOW).text
