"""How the Airalo stand-in writes what it knows: the answers of the published API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import JSONResponse

from bot.demo.airalo_state import AiraloState, Esim, Operator, Order, Package
from bot.demo.stand_in import Json
from bot.ports import Clock

DISCOUNT = 20


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.response = JSONResponse(body, status, headers)


def coded(code: int, reason: str) -> Refused:
    """HTTP 422 in its one shape."""
    return Refused(422, {"code": code, "reason": reason})


def wrong(**fields: str) -> Refused:
    """HTTP 422 in its other shape."""
    return Refused(422, {"data": fields, "meta": {"message": "the parameter is invalid"}})


def nothing(status: int, message: str) -> Refused:
    """A refusal without data."""
    return Refused(status, {"data": [], "meta": {"message": message}})


def _time(at: datetime | None) -> str | None:
    """Without a zone: UTC is meant."""
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S")


def _dollars(cents: int) -> int | float:
    """22.5 as it is, 10.00 as 10: this API writes JSON numbers."""
    return cents // 100 if cents % 100 == 0 else cents / 100


class Shown:
    """The answers that read; `is_set` tells which misbehaviours are on."""

    def __init__(self, state: AiraloState, clock: Clock, is_set: Callable[[str], bool]) -> None:
        self._state = state
        self._clock = clock
        self._is_set = is_set

    def paid(self, package: Package) -> int:
        """Cents that a package costs us at this moment."""
        net = package.net
        if self._is_set("discount_pricing"):
            net = package.price * (100 - DISCOUNT) // 100
        return net * 3 // 2 if self._is_set("price_changed") else net

    def packages(self, asked: Json) -> Json:
        """The catalogue: by country, then by operator."""
        countries = [
            {
                "slug": operator.country.lower(),
                "country_code": operator.country,
                "title": operator.country,
                "operators": [
                    {
                        "id": n,
                        "title": operator.title,
                        "type": "local",
                        "plan_type": "data",
                        "rechargeability": True,
                        "install_window_days": 365,
                        "topup_grace_window_days": operator.grace_days,
                        "other_info": None,
                        "packages": [self._package(one, "sim") for one in operator.sold],
                    }
                ],
            }
            for n, operator in enumerate(self._state.operators, 1)
        ]
        return {"pricing": self._pricing(), "data": countries, "meta": {"message": "success"}}

    def topups(self, operator: Operator) -> Json:
        """What an eSIM of this operator can be topped up with."""
        packages = [self._package(one, "topup") for one in operator.topups]
        return {"pricing": self._pricing(), "data": packages}

    def _pricing(self) -> Json:
        discounted = self._is_set("discount_pricing")
        model = "discount_pricing" if discounted else "net_pricing"
        return {"model": model, "discount_percentage": DISCOUNT if discounted else 0}

    def _package(self, package: Package, kind: str) -> Json:
        discounted = self._is_set("discount_pricing")
        price = package.price * 3 // 2 if self._is_set("price_changed") else package.price
        return {
            "id": package.id,
            "type": kind,
            "price": _dollars(price),
            "amount": package.mb,
            "day": package.days,
            "is_unlimited": package.unlimited,
            "title": package.title,
            "data": "Unlimited" if package.unlimited else f"{package.mb // 1024} GB",
            "short_info": None,
            "voice": package.voice or None,
            "text": package.text or None,
            "net_price": None if discounted else _dollars(self.paid(package)),
        }

    def sim(self, esim: Esim) -> Json:
        """An eSIM with the order it came with."""
        first = esim.held[0]
        host, code = esim.activation_code.split("$")[1:]
        recycled = esim.status == "RECYCLED"
        data = {
            "id": 11_000 + first.order_id,
            "created_at": _time(esim.sold_at),
            "iccid": esim.iccid,
            "lpa": host,
            "imsis": None,
            "matching_id": code,
            "qrcode": esim.activation_code,
            "confirmation_code": None,
            "is_roaming": True,
            "recycled": recycled,
            "recycled_at": _time(esim.expires_at) if recycled else None,
            "simable": {
                "id": first.order_id,
                "created_at": _time(esim.sold_at),
                "type": "sim",
                "package_id": first.package.id,
                "quantity": 1,
                "validity": str(first.package.days),
                "price": f"{first.package.price / 100:.2f}",
                "currency": "USD",
                "status": {"name": "Completed", "slug": "completed"},
            },
        }
        return {"data": data, "meta": {"message": "success"}}

    def usage(self, esim: Esim) -> Json:
        """What is left; zeros where a package is unlimited, and everywhere once recycled."""
        now = self._clock.now()
        status = esim.status_at(now)
        recycled = status == "RECYCLED"
        packages = [] if recycled else esim.seen(now)
        unlimited = any(package.unlimited for package in packages)
        total = 0 if unlimited else sum(package.mb for package in packages)
        voice = sum(package.voice for package in packages)
        text = sum(package.text for package in packages)
        data = {
            "remaining": max(0, total - esim.used_mb),
            "total": total,
            "expired_at": None if recycled else _time(esim.expiry_seen(now)),
            "is_unlimited": None if recycled else unlimited,
            "status": status,
            "remaining_voice": max(0, voice - esim.used_voice),
            "remaining_text": max(0, text - esim.used_text),
            "total_voice": voice,
            "total_text": text,
        }
        return {"data": data, "meta": {"message": "api.success"}}

    def orders(self, asked: Json) -> Json:
        """Orders newest first. Its filters compare loosely: a part of the text is enough, and a
        range of days ends with the first moment of the last one."""
        now = self._clock.now()
        iccid, words = asked.get("filter[iccid]", ""), asked.get("filter[description]", "")
        first, _, last = asked.get("filter[created_at]", "").partition(" - ")
        found = [
            order
            for order in reversed(self._state.orders)
            if order.visible_from <= now
            and iccid in order.iccid
            and words in self._description(order)
            and (not last or first <= f"{order.at:%Y-%m-%d %H:%M:%S}" <= f"{last} 00:00:00")
        ]
        limit, page = int(asked.get("limit") or 50), int(asked.get("page") or 1)
        shown = [self.order(o, asked) for o in found[(page - 1) * limit : page * limit]]
        pages = max(1, -(-len(found) // limit))
        meta = {"message": "success", "current_page": page, "last_page": pages,
                "per_page": str(limit), "total": len(found)}  # fmt: skip
        return {"data": shown, "meta": meta, "links": {"prev": None, "next": None}}

    def _description(self, order: Order) -> str:
        if self._is_set("echoes_description"):
            return order.note
        return "" if self._is_set("names_no_sim") else f"Topup ({order.iccid})"

    def order(self, order: Order, asked: Json) -> Json:
        """One order, with what was asked to be included."""
        include = str(asked.get("include", "")).split(",")
        package = order.package
        data: Json = {
            "id": order.id,
            "code": f"{order.at:%Y%m%d}-{order.id:06}",
            "package_id": package.id,
            "currency": "USD",
            "quantity": "1",
            "type": order.type,
            "description": self._description(order),
            "esim_type": "Prepaid",
            "validity": package.days,
            "package": package.title,
            "data": "Unlimited" if package.unlimited else f"{package.mb // 1024} GB",
            "price": _dollars(package.price),
            "net_price": None if self._is_set("discount_pricing") else _dollars(order.paid),
            "created_at": _time(order.at),
            "manual_installation": "",
            "qrcode_installation": "",
            "installation_guides": {"en": "http://127.0.0.1/installation-guide"},
        }
        if "status" in include:
            data["status"] = {"name": order.status.capitalize(), "slug": order.status}
        if "sims" in include:
            sims = [] if self._is_set("names_no_sim") else [{"iccid": order.iccid}]
            data["sims"] = sims
        return data


def in_other_types(answer: Json) -> Json:
    """The same answer in the other forms seen of this supplier, and a field from its future."""

    def texts(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{key: texts(item) for key, item in value.items()}, "newField": {"a": [1]}}
        if isinstance(value, list):
            return [texts(item) for item in value]
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int | float) else value

    told: Json = texts(answer)
    if isinstance(told.get("data"), list):
        # As later pages of a list are written.
        told["data"] = {str(place): item for place, item in enumerate(told["data"])}
    return told
