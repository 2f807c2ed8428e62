"""A stand-in for DingConnect on loopback: the published API V1, and its misbehaviour on demand.

Written from the supplier's documents and from what its users measured, not from our adapter. What
the documents leave open is answered the unkind way: a repeated DistributorRef is paid again, and
GetProducts with a number that nobody knows lists everything.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.calls import CallLog
from bot.demo.dingconnect_faults import FAULTS
from bot.demo.dingconnect_shown import (
    in_other_forms,
    price_shown,
    product_shown,
    provider_shown,
    transfer_shown,
)
from bot.demo.dingconnect_state import COUNTRIES, DingConnectState, Product, Transfer
from bot.demo.faults import FaultBoard
from bot.demo.stand_in import Dropped, Json, StandIn
from bot.ports import Clock

DEARER = Decimal("1.25")

NAME = "dingconnect"
# The HTTP status each ResultCode comes with; RateLimited is seen with 200 too.
STATUSES = {1: 200, 2: 200, 3: 503, 4: 400, 5: 500}


class Refused(Exception):
    """An answer with an error; a transfer's record may stand beside it."""

    def __init__(
        self, result: int, code: str, context: str | None = None, record: Json | None = None
    ) -> None:
        super().__init__(code)
        self.result = result
        self.errors = [{"Code": code, "Context": context}]
        self.record = record

    @property
    def status(self) -> int:
        """The HTTP status it comes with."""
        unknown_key = self.errors[0]["Code"] == "AuthenticationFailed"
        return 401 if unknown_key else STATUSES[self.result]


def dingconnect_routes(
    state: DingConnectState, clock: Clock, faults: FaultBoard, calls: CallLog
) -> list[Route]:
    """The supplier's paths, to be mounted anywhere; its faults become known to the board."""
    supplier = _Supplier(state, clock, faults, calls)
    return [
        Route(f"/api/V1/{method}", supplier.answer, methods=[verb])
        for method, (verb, _) in supplier.methods.items()
    ]


class _Supplier(StandIn):
    def __init__(
        self, state: DingConnectState, clock: Clock, faults: FaultBoard, calls: CallLog
    ) -> None:
        super().__init__(NAME, FAULTS, clock, faults, calls)
        self._state = state
        self.methods: dict[str, tuple[str, Callable[[Any], Json]]] = {
            "GetBalance": ("GET", self._balance),
            "GetAccountLookup": ("GET", self._account_lookup),
            "GetProviders": ("GET", self._get_providers),
            "GetProviderStatus": ("GET", self._provider_status),
            "GetProducts": ("GET", self._get_products),
            "EstimatePrices": ("POST", self._estimate),
            "ListTransferRecords": ("POST", self._list),
            "SendTransfer": ("POST", self._send),
        }

    async def answer(self, request: Request) -> Response:
        """One call: key, the method's own work, its misbehaviour, the log."""
        method = request.url.path.rpartition("/")[2]
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        raw = await request.body()

        async def work() -> tuple[Any, Response]:
            self._state.settle(self._clock.now())
            asked: Any = query
            try:
                self._check_key(request)
                asked = _parsed(method, raw) if request.method == "POST" else query
                return asked, self._handled(method, asked)
            except Refused as refused:
                record = {"TransferRecord": refused.record} if method == "SendTransfer" else {}
                return asked, self._shown(record, refused.result, refused.errors, refused.status)

        return await self._logged(method, work)

    def _check_key(self, request: Request) -> None:
        given = request.headers.get("api_key", "")
        if not hmac.compare_digest(given.encode(), self._state.api_key.encode()):
            raise Refused(4, "AuthenticationFailed")

    def _handled(self, method: str, asked: Any) -> Response:
        if self._struck("http_429"):
            return Response("Too Many Requests", 429, {"Retry-After": "1"})
        if self._struck("http_500"):
            return Response("Internal Server Error", 500)
        if self._struck("rate_limited"):
            raise Refused(3, "RateLimited")
        work = self.methods[method][1]
        if method != "SendTransfer":
            answer = work(asked)
            # Only the country is sure.
            nearest = method == "GetAccountLookup" and not answer["Items"]
            errors = [{"Code": "NearestMatch", "Context": None}] if nearest else []
            return self._shown(answer, 2 if nearest else 1, errors)
        if self._struck("drop_before_accept"):
            return Dropped()
        if self._struck("server_error"):
            raise Refused(5, "OtherError")
        return self._arriving(self._shown(work(asked), 1))

    def _shown(
        self, answer: Json, result: int, errors: list[Any] | None = None, status: int = 200
    ) -> Response:
        told = {**answer, "ResultCode": result, "ErrorCodes": errors or []}
        if self._struck("other_forms"):
            told, status = in_other_forms(told), 200
        return JSONResponse(told, status)

    # -- reference data

    def _balance(self, _: Json) -> Json:
        empty = self._set("wallet_empty")
        return {"Balance": 0.0 if empty else float(self._state.balance), "CurrencyIso": "USD"}

    def _account_lookup(self, query: Json) -> Json:
        account = _one(query, "accountNumber").removeprefix("+")
        country = next((iso for d, iso in COUNTRIES.items() if account.startswith(d)), None)
        if country is None:
            raise Refused(4, "AccountNumberInvalid", "AccountNumber")
        return {
            "CountryIso": country,
            "AccountNumberNormalized": account,
            "Items": [
                {"ProviderCode": provider.code, "RegionCode": country}
                for provider in self._state.of_number(account)
            ],
        }

    def _get_providers(self, query: Json) -> Json:
        found = self._state.of_number(_one(query, "accountNumber")) or self._state.providers
        shown = [p for p in found if _asked_for(query, p.code, p.country)]
        return {"Items": [provider_shown(provider) for provider in shown]}

    def _provider_status(self, query: Json) -> Json:
        down = self._set("provider_down")
        return {
            "Items": [
                {"ProviderCode": provider.code, "IsProcessingTransfers": not down, "Message": ""}
                for provider in self._state.providers
                if _asked_for(query, provider.code, provider.country)
            ]
        }

    def _get_products(self, query: Json) -> Json:
        providers = self._state.of_number(_one(query, "accountNumber")) or self._state.providers
        by_code = {p.code: p for p in providers if _asked_for(query, p.code, p.country)}
        skus = query.get("skuCodes")
        return {
            "Items": [
                product_shown(self._today(product))
                for product in self._state.products
                if product.provider in by_code and (not skus or product.sku in skus)
            ]
        }

    def _today(self, product: Product) -> Product:
        return product.dearer(DEARER) if self._struck("price_changed") else product

    # -- prices and transfers

    def _estimate(self, wanted: Any) -> Json:
        if not all(one.get("BatchItemRef") for one in wanted):
            raise Refused(4, "RequestInvalid")
        return {"Items": [self._estimated(one) for one in wanted]}

    def _estimated(self, one: Json) -> Json:
        refs = {"SkuCode": one.get("SkuCode"), "BatchItemRef": one["BatchItemRef"]}
        product = self._state.product(str(one.get("SkuCode")))
        send, receive = (_number(one.get(name)) for name in ("SendValue", "ReceiveValue"))
        wrong = None
        if product is None:
            wrong = {"Code": "ParameterInvalid", "Context": "SkuCode"}
        elif bool(send) == bool(receive):
            wrong = {"Code": "ParameterCombinationInvalid", "Context": "SendValue"}
        elif receive and not product.least[0] <= receive <= product.most[0]:
            wrong = {"Code": "ParameterOutOfRange", "Context": "ReceiveValue"}
        if wrong is not None or product is None:
            return {**refs, "Price": None, "ResultCode": 4, "ErrorCodes": [wrong]}
        today = self._today(product)
        send = send or today.sends(receive)
        price = price_shown(today, send, today.receives(send))
        return {**refs, "Price": price, "ResultCode": 1, "ErrorCodes": []}

    def _list(self, asked: Any) -> Json:
        take, skip = asked.get("Take"), asked.get("Skip") or 0
        if not isinstance(take, int) or not 1 <= take <= 100:
            raise Refused(4, "ParameterOutOfRange", "Take")
        now = self._clock.now()
        every = self._struck("lookup_unfiltered")
        refs = asked.get("TransferRef"), asked.get("DistributorRef"), asked.get("AccountNumber")
        found = [
            transfer
            for transfer in reversed(self._state.transfers)
            if transfer.visible_from <= now < transfer.at + timedelta(days=61)
            and (every or _is_of(transfer, *refs))
        ]
        items: list[Json] = [
            {"TransferRecord": self._transfer_shown(one), "ResultCode": 1, "ErrorCodes": []}
            for one in found[skip : skip + take]
        ]
        if self._struck("unlisted_ref"):
            for item in items:
                item["TransferRecord"]["TransferId"] = None
        return {"Items": items, "ThereAreMoreItems": len(found) > skip + take}

    def _transfer_shown(self, transfer: Transfer) -> Json:
        shown = transfer_shown(transfer, self._state.product(transfer.sku), self._clock.now())
        if self._set("code_in_text"):
            shown["ReceiptParams"] = {}
        return shown

    def _send(self, asked: Any) -> Json:
        product, account, send = self._checked(asked)
        ref = str(asked["DistributorRef"])
        if self._struck("repeat_is_refused") and self._state.done(ref):
            raise Refused(5, "DuplicateTransactionPrevented")
        tried = account == product.uat_number
        cost = Decimal(0) if tried else send + product.fee
        empty = self._struck("wallet_empty") and not tried
        if empty or self._state.balance < cost:
            raise Refused(5, "InsufficientBalance")
        made = self._made(product, account, send, cost, ref)
        if asked["ValidateOnly"]:
            shown = self._transfer_shown(made)
            return {"TransferRecord": {**shown, "TransferId": None}}
        self._refused_by_provider(made)
        self._state.balance -= cost
        self._state.transfers.append(made)
        if self._struck("provider_unknown"):
            raise Refused(5, "ProviderError", "ProviderUnknownError")
        return {"TransferRecord": self._transfer_shown(made)}

    def _checked(self, asked: Any) -> tuple[Product, str, Decimal]:
        """A transfer as asked for, or the supplier's complaint."""
        if not isinstance(asked.get("ValidateOnly"), bool):
            raise Refused(4, "ParameterInvalid", "ValidateOnly")
        for name in ("SkuCode", "AccountNumber", "DistributorRef"):
            if not isinstance(asked.get(name), str) or not asked[name]:
                raise Refused(4, "ParameterMissing", name)
        product = self._state.product(asked["SkuCode"])
        if product is None:
            raise Refused(5, "ProviderError", "ProductUnavailable")
        product, account = self._today(product), asked["AccountNumber"]
        if account != product.uat_number and not self._state.takes(product, account):
            raise Refused(4, "AccountNumberInvalid", "AccountNumberFailedRegex")
        send = _number(asked.get("SendValue"))
        if not product.least[1] <= send <= product.most[1] or send != round(send, 2):
            raise Refused(4, "ParameterOutOfRange", "SendValue")
        if asked.get("SendCurrencyIso") not in (None, "", "USD"):
            raise Refused(4, "ParameterInvalid", "SendCurrencyIso")
        return product, account, send

    def _made(
        self, product: Product, account: str, send: Decimal, cost: Decimal, ref: str
    ) -> Transfer:
        now = self._clock.now()
        fails, waits = self._struck("fails_later"), self._struck("slow_final")
        strange = self._struck("new_state")
        lag = self._state.lookup_lag_seconds if self._struck("lookup_lags") else 0
        later = self._state.settle_seconds if fails or waits else 0
        number = self._state.next_ref()
        return Transfer(
            ref=number,
            distributor_ref=ref,
            sku=product.sku,
            account=account,
            send=send,
            receive=product.receives(send),
            cost=cost,
            at=now,
            settles_at=now + timedelta(seconds=later),
            ends_as="Failed" if fails else "Reviewing" if strange else "Complete",
            visible_from=now + timedelta(seconds=lag),
            provider_ref=f"OP{number}",
            pin=f"{int(number) * 1_234_577 % 10**14:014}" if product.by_receipt else None,
        )

    def _refused_by_provider(self, made: Transfer) -> None:
        """The operator's own refusals: the transfer is listed as failed and was not charged."""
        for fault, result, code, context in (
            ("provider_down", 5, "ProviderError", "ProviderTemporarilyUnavailable"),
            ("provider_timed_out", 3, "TransientProviderError", "ProviderTimedOut"),
            ("provider_refused", 4, "AccountNumberInvalid", "ProviderRefusedRequest"),
        ):
            if self._struck(fault):
                failed = made.model_copy(
                    update={"ends_as": "Failed", "settled": True, "settles_at": made.at}
                )
                self._state.transfers.append(failed)
                raise Refused(result, code, context, self._transfer_shown(failed))


def _parsed(method: str, raw: bytes) -> Any:
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(4, "RequestInvalid") from None
    if not isinstance(body, list if method == "EstimatePrices" else dict):
        raise Refused(4, "RequestInvalid")
    return body


def _number(value: object) -> Decimal:
    return Decimal(str(value)) if isinstance(value, int | float) else Decimal(0)


def _one(query: Json, name: str) -> str:
    return str((query.get(name) or [""])[0])


def _asked_for(query: Json, provider: str, country: str) -> bool:
    """Whether the filters of a question let a provider through; an empty one lets all."""
    providers, countries = query.get("providerCodes"), query.get("countryIsos")
    return (not providers or provider in providers) and (not countries or country in countries)


def _is_of(transfer: Transfer, ref: object, distributor_ref: object, account: object) -> bool:
    wanted = ((ref, transfer.ref), (distributor_ref, transfer.distributor_ref))
    return all(asked in (None, own) for asked, own in (*wanted, (account, transfer.account)))
