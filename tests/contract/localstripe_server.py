"""`python tests/contract/localstripe_server.py PORT`: localstripe on loopback, in a process of its
own (it is GPL, and keeps what it knows in its module).

It stands for an elder version of Stripe's API and fails on parameters it does not know: those that
change nothing in its answers are taken off. What it writes to /tmp otherwise stays in memory.
"""

import sys
from typing import Any

from aiohttp import web
from localstripe import server
from localstripe.resources import PaymentIntent, Store

UNKNOWN = ("allowed_payment_method_types", "cancellation_reason", "description", "return_url")

read_post, list_all = server.get_post_data, PaymentIntent._api_list_all.__func__


async def known_post(request: web.Request, remove_auth: bool = True) -> Any:
    data = await read_post(request, remove_auth)
    return data and {key: item for key, item in data.items() if key not in UNKNOWN}


def list_whenever(cls: type, /, url: str, created: object = None, **params: Any) -> Any:
    return list_all(cls, url, **params)


def main() -> None:
    Store.dump_to_disk = lambda _: None
    server.get_post_data = known_post
    PaymentIntent._api_list_all = classmethod(list_whenever)
    web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
