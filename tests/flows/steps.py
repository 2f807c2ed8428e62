"""Ways through the chat that many stories begin with."""

from tests.flows.people import Person

BOOM = "25112000000001"
US_CARD = "25112000000002"
VOUCHER_US = "XVKA-VS5G-4T9X-J6RW"
VOUCHER_BOOM = "XVKA-BM5G-7D3N-K8PQ"
RECEIPT = "Renewed and checked on the SIM"


async def to_quote(person: Person, plan: str = "USA 5 GB", sim: str = "US Data Card") -> int:
    """From /renew to the price; the message it stands in."""
    await person.say("/renew")
    await person.press(sim)
    await person.press(plan)
    return int((await person.find("Your price"))["message_id"])


async def to_invoice(person: Person, plan: str = "USA 5 GB", sim: str = "US Data Card") -> int:
    """From /renew to the invoice; the message of the order."""
    message_id = await to_quote(person, plan, sim)
    await person.press("Pay ")
    return message_id
