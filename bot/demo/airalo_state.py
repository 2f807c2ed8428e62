"""What the Airalo stand-in knows (eSIMs, operators, orders, our credit), and a world to begin with.

Prices and credit are cents of a US dollar, data megabytes, times UTC by the demo's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel

MB_A_GB = 1024


class Package(BaseModel):
    """A package on sale; `net` is what we pay, `price` what it retails at."""

    id: str
    title: str
    days: int
    mb: int
    price: int
    net: int
    unlimited: bool = False
    voice: int = 0
    text: int = 0


class Operator(BaseModel):
    """A network brand. All of its top-ups fit all of its eSIMs, until `grace_days` after expiry
    (None: it does not say)."""

    slug: str
    title: str
    country: str
    grace_days: int | None
    sold: list[Package]
    topups: list[Package]


class Order(BaseModel):
    """One order; the stand-in's own ("completed", "refunded", …) is its `status`."""

    id: int
    iccid: str
    type: str
    package: Package
    paid: int
    note: str
    at: datetime
    visible_from: datetime
    """Later than `at` while the look-up lags behind the purchase."""
    status: str = "completed"


class Held(BaseModel):
    """A package on an eSIM, and the expiry it found there."""

    package: Package
    order_id: int
    visible_from: datetime
    before: datetime | None


class Esim(BaseModel):
    """One eSIM. `status` is NOT_ACTIVE, ACTIVE, RECYCLED or UNKNOWN; clock and use add the rest."""

    iccid: str
    brand: str
    operator: str
    activation_code: str
    sold_at: datetime
    status: str
    expires_at: datetime | None
    used_mb: int = 0
    used_voice: int = 0
    used_text: int = 0
    held: list[Held]
    told: list[str] | None = None
    """Levels that webhooks have told of and that still hold; None before the first look."""

    def seen(self, now: datetime) -> list[Package]:
        """The packages that its usage counts at `now`."""
        return [one.package for one in self.held if one.visible_from <= now]

    def expiry_seen(self, now: datetime) -> datetime | None:
        """Its expiry without what is not seen yet."""
        late = [one for one in self.held if one.visible_from > now]
        return late[0].before if late else self.expires_at

    def status_at(self, now: datetime) -> str:
        """Its status as the supplier names it."""
        if self.status != "ACTIVE":
            return self.status
        expiry = self.expiry_seen(now)
        if expiry is not None and now >= expiry:
            return "EXPIRED"
        packages = self.seen(now)
        unlimited = any(package.unlimited for package in packages)
        total = sum(package.mb for package in packages)
        return "FINISHED" if not unlimited and self.used_mb >= total else "ACTIVE"


class AiraloState(BaseModel):
    """The stand-in's memory; pydantic's `model_dump_json` carries it over a restart."""

    client_id: str = "demo-airalo-client"
    client_secret: str = "demo-airalo-secret"  # noqa: S105  opens nothing but this stand-in
    balance: int = 20_000
    esims: list[Esim]
    operators: list[Operator]
    orders: list[Order] = []
    last_order_id: int = 174
    tokens: list[str] = []
    """Those that are good; a restart of the demo keeps them, a fault takes them away."""
    webhooks: dict[str, str] = {}
    """Where notifications go, by the kind opted in to."""
    lookup_lag_seconds: int = 120
    tokens_per_minute: int = 3
    usage_per_minute: int = 10
    """For one eSIM. The demo lifts both: a week is lived in seconds there."""

    def esim(self, iccid: str) -> Esim | None:
        """The eSIM with that ICCID; None without one."""
        return next((esim for esim in self.esims if esim.iccid == iccid), None)

    def operator(self, esim: Esim) -> Operator:
        """Whose packages fit it."""
        return next(one for one in self.operators if one.slug == esim.operator)

    def takes_topups_until(self, esim: Esim) -> datetime | None:
        """The end of its days after expiry; None when there is no end."""
        grace = self.operator(esim).grace_days
        if esim.expires_at is None or grace is None:
            return None
        return esim.expires_at + timedelta(days=grace)

    def use(self, iccid: str, mb: int, now: datetime) -> None:
        """The customer uses `mb` megabytes; the first use activates. KeyError if unknown."""
        esim = self.esim(iccid)
        if esim is None:
            raise KeyError(iccid)
        if esim.status == "NOT_ACTIVE":
            esim.status = "ACTIVE"
            esim.expires_at = now + timedelta(days=sum(one.package.days for one in esim.held))
        esim.used_mb += mb

    def top_up(
        self, esim: Esim, package: Package, paid: int, note: str, now: datetime, lag: timedelta
    ) -> Order:
        """Take the money, add data and validity; `lag` hides it from readers for a while."""
        self.balance -= paid
        self.last_order_id += 1
        if esim.status_at(now) == "EXPIRED":
            # What was left went with the validity.
            esim.used_mb = max(esim.used_mb, sum(one.package.mb for one in esim.held))
        order = Order(
            id=self.last_order_id,
            iccid=esim.iccid,
            type="topup",
            package=package,
            paid=paid,
            note=note,
            at=now,
            visible_from=now + lag,
        )
        self.orders.append(order)
        esim.held.append(
            Held(
                package=package,
                order_id=order.id,
                visible_from=now + lag,
                before=esim.expires_at,
            )
        )
        if esim.status == "ACTIVE":
            # Until its end validity adds up; after it, it begins anew.
            begin = max(now, esim.expires_at or now)
            esim.expires_at = begin + timedelta(days=package.days)
        return order


# ---- the world the demo begins with ------------------------------------------------------


def _packages(slug: str, rows: Iterable[tuple[str, int, int, int, int]]) -> list[Package]:
    """Rows of (size, megabytes, days, retail, net); none for megabytes is unlimited."""
    return [
        Package(
            id=f"{slug}-{days}days-{size}-topup",
            title=f"{size.replace('gb', ' GB').capitalize()} - {days} Days",
            days=days,
            mb=mb,
            price=price,
            net=net,
            unlimited=not mb,
        )
        for size, mb, days, price, net in rows
    ]


def demo_operators() -> list[Operator]:
    """boom (Japan, 120 days of grace), Change (USA, 180 days), Kallur (does not say)."""
    day, month, season = 1, 30, 90
    boom = _packages("boom-jp", (
        ("1gb", MB_A_GB, day, 200, 90),
        ("1gb", MB_A_GB, month, 450, 135),
        ("5gb", 5 * MB_A_GB, month, 1_150, 480),
        ("unlimited", 0, month, 3_200, 1_600),
        ("20gb", 20 * MB_A_GB, season, 3_600, 1_950),
    ))  # fmt: skip
    change = _packages("change", (
        ("1gb", MB_A_GB, 7, 450, 140),
        ("1gb", MB_A_GB, month, 500, 150),
        ("5gb", 5 * MB_A_GB, month, 1_600, 510),
        ("unlimited", 0, month, 3_600, 1_700),
    ))  # fmt: skip
    kallur = _packages("kallur-digital", (("1gb", MB_A_GB, 7, 950, 665),))
    kallur[0] = kallur[0].model_copy(update={"voice": 100, "text": 50})
    return [
        Operator(slug=slug, title=title, country=country, grace_days=grace, topups=topups,
                 sold=[p.model_copy(update={"id": p.id.removesuffix("-topup")}) for p in topups])
        for slug, title, country, grace, topups in (
            ("boom-jp", "boom Japan", "JP", 120, boom),
            ("change", "Change", "US", 180, change),
            ("kallur-digital", "Kallur Digital", "FO", None, kallur),
        )
    ]  # fmt: skip


def demo_esims(operators: list[Operator], now: datetime) -> list[Esim]:
    """A boom eSIM ten days past its expiry, a US data card with 40 % left, a boom eSIM not yet
    activated, and a Kallur eSIM with minutes and messages."""

    def days(count: int) -> datetime:
        return (now + timedelta(days=count)).replace(microsecond=0)

    def esim(
        n: int, iccid: str, brand: str, operator: Operator, which: int, status: str,
        sold_at: datetime, expires_at: datetime | None, used: int,
    ) -> Esim:  # fmt: skip
        held = Held(
            package=operator.sold[which], order_id=100 + n, visible_from=sold_at, before=None
        )
        code = f"LPA:1$lpa.example.com$AIRALO{n:04}"
        return Esim(iccid=iccid, brand=brand, operator=operator.slug, activation_code=code,
                    sold_at=sold_at, status=status, expires_at=expires_at, used_mb=used,
                    held=[held])  # fmt: skip

    boom, change, kallur = operators
    return [
        esim(1, "8981040000000010012", "boom eSIM", boom, 2, "ACTIVE",
             days(-40), days(-10), 4_200),
        esim(2, "8901260000000020020", "US Data Card", change, 2, "ACTIVE",
             days(-14), days(16), 5 * MB_A_GB * 60 // 100),
        esim(3, "8981040000000030036", "boom eSIM", boom, 1, "NOT_ACTIVE", days(-1), None, 0),
        esim(4, "8929801000000040041", "Kallur", kallur, 0, "ACTIVE", days(-2), days(5), 300),
    ]  # fmt: skip


def demo_state(now: datetime) -> AiraloState:
    """A fresh world with 200 dollars of credit."""
    operators = demo_operators()
    return AiraloState(esims=demo_esims(operators, now), operators=operators)
