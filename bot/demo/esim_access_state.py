"""What the eSIM Access stand-in knows (profiles, packages, our wallet), and a world to begin with.

Prices and balance are ten-thousandths of a dollar, volumes bytes, times UTC by the demo's clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel

GB = 1 << 30
ACTIVATE_WITHIN = timedelta(days=180)


class Package(BaseModel):
    """A top-up on sale for profiles of one location."""

    code: str
    name: str
    location: str
    volume: int
    days: int
    price: int
    data_type: int = 1
    """1 is data for the whole validity, 2 a day pass priced per day."""


class Bought(BaseModel):
    """A package on a profile: the one it was sold with, then its top-ups."""

    code: str
    name: str
    volume: int
    days: int
    at: datetime
    esim_tran_no: str
    transaction_id: str
    visible_from: datetime
    """Later than `at` while the look-up lags behind the purchase."""


class Profile(BaseModel):
    """One eSIM. `status` is what was done to it; the clock and the use add the rest."""

    iccid: str
    esim_tran_no: str
    order_no: str
    brand: str
    location: str
    activation_code: str
    status: str
    expires_at: datetime
    """End of its validity; of the wait for its activation while GOT_RESOURCE."""
    used: int = 0
    bought: list[Bought]
    measured_used: int = 0
    measured_at: datetime
    told: list[str] | None = None
    """What webhooks have told of it that is still so; None before the first look."""

    def seen(self, now: datetime) -> list[Bought]:
        """The packages a query shows at `now`."""
        return [one for one in self.bought if one.visible_from <= now]

    def volume(self) -> int:
        """All bytes bought."""
        return sum(one.volume for one in self.bought)

    def status_at(self, now: datetime) -> str:
        """esimStatus as the supplier names it."""
        if self.status == "GOT_RESOURCE":
            return "UNUSED_EXPIRED" if now >= self.expires_at else self.status
        if self.status != "IN_USE":
            return self.status
        if now >= self.expires_at:
            return "USED_EXPIRED"
        return "USED_UP" if self.used >= self.volume() else "IN_USE"


class EsimAccessState(BaseModel):
    """The stand-in's memory; pydantic's `model_dump_json` carries it over a restart."""

    access_code: str = "demo-access-code"
    secret_key: str = "demo-secret-key"  # noqa: S105  opens nothing but this stand-in
    balance: int = 2_000_000
    profiles: list[Profile]
    packages: list[Package]
    last_tran_no: int = 25_112_000_001_000
    last_notify: int = 0
    lookup_lag_seconds: int = 120
    requests_per_second: int = 8
    """The demo lifts it: a week is lived in seconds there."""

    def profile(self, esim_tran_no: str) -> Profile | None:
        """The profile with that number; None without one."""
        return next((p for p in self.profiles if p.esim_tran_no == esim_tran_no), None)

    def use(self, esim_tran_no: str, volume: int, now: datetime) -> None:
        """The customer uses `volume` bytes; the first use activates. KeyError if unknown."""
        profile = self.profile(esim_tran_no)
        if profile is None:
            raise KeyError(esim_tran_no)
        if profile.status_at(now) == "GOT_RESOURCE":
            profile.status = "IN_USE"
            profile.expires_at = now + timedelta(days=sum(one.days for one in profile.bought))
        profile.used = min(profile.volume(), profile.used + volume)

    def top_up(
        self, profile: Profile, package: Package, ref: str, now: datetime, lag: timedelta
    ) -> Bought:
        """Take the money and add volume and validity; `lag` hides it from look-ups for a while."""
        self.balance -= package.price
        self.last_tran_no += 1
        bought = Bought(
            code=package.code,
            name=package.name,
            volume=package.volume,
            days=package.days,
            at=now,
            esim_tran_no=str(self.last_tran_no),
            transaction_id=ref,
            visible_from=now + lag,
        )
        profile.bought.append(bought)
        if profile.status != "GOT_RESOURCE":
            profile.expires_at += timedelta(days=package.days)
        return bought


# ---- the world the demo begins with ------------------------------------------------------

# Length and size, and the price in Japan; elsewhere it is a little more.
_TOPUPS = (
    ("D_1", "1GB 1Day", GB, 1, 8_000),
    ("D_UL", "Unlimited 1Day (2GB at full speed)", 2 * GB, 1, 15_000),
    ("M_1", "1GB 30Days", GB, 30, 12_345),
    ("M_5", "5GB 30Days", 5 * GB, 30, 45_000),
    ("M_UL", "Unlimited 30Days (20GB at full speed)", 20 * GB, 30, 150_000),
    ("S_20", "20GB 90Days", 20 * GB, 90, 180_000),
    ("Y_50", "50GB 365Days", 50 * GB, 365, 420_000),
)
_LOCATIONS = (("JP", "Japan", 100), ("US", "United States", 110), ("EU", "Europe", 120))


def demo_packages() -> list[Package]:
    """Top-ups of a day, a month, a season and a year for each location: TOPUP_JP_M_5 and so on."""
    packages = [
        Package(
            code=f"TOPUP_{location}_{code}",
            name=f"{country} {name}",
            location=location,
            volume=volume,
            days=days,
            price=price * percent // 100,
        )
        for location, country, percent in _LOCATIONS
        for code, name, volume, days, price in _TOPUPS
    ]
    day_pass = Package(
        code="TOPUP_JP_PASS",
        name="Japan 1GB/Day",
        location="JP",
        volume=GB,
        days=1,
        price=7_000,
        data_type=2,
    )
    return [*packages, day_pass]


def _sold(
    n: int, iccid: str, brand: str, package: Package, status: str, used: int, expires_at: datetime,
    sold_at: datetime, now: datetime,
) -> Profile:  # fmt: skip
    tran_no = str(25_112_000_000_000 + n)
    return Profile(
        iccid=iccid,
        esim_tran_no=tran_no,
        order_no=f"B{tran_no}",
        brand=brand,
        location=package.location,
        activation_code=f"LPA:1$rsp.example.com$DEMO{tran_no}",
        status=status,
        expires_at=expires_at,
        used=used,
        bought=[
            Bought(
                code=package.code,
                name=package.name,
                volume=package.volume,
                days=package.days,
                at=sold_at,
                esim_tran_no=tran_no,
                transaction_id=f"demo-order-{n}",
                visible_from=sold_at,
            )
        ],
        measured_used=used,
        measured_at=now,
    )


def demo_profiles(now: datetime) -> list[Profile]:
    """A Japan eSIM about to expire, a US card low on data, a European eSIM not yet activated, and
    a Japan eSIM without data left."""
    japan, usa, europe, small = (
        Package(code=code, name=name, location=location, volume=volume, days=30, price=0)
        for code, name, location, volume in (
            ("JP_3_30", "Japan 3GB 30Days", "JP", 3 * GB),
            ("US_5_30", "United States 5GB 30Days", "US", 5 * GB),
            ("EU_5_30", "Europe 5GB 30Days", "EU", 5 * GB),
            ("JP_1_30", "Japan 1GB 30Days", "JP", GB),
        )
    )

    def days(count: int) -> datetime:
        return now + timedelta(days=count)

    rows: Iterable[tuple[str, str, Package, str, int, datetime, datetime]] = (
        ("89852041000000001015", "boom eSIM", japan, "IN_USE", japan.volume * 62 // 100,
         days(3), days(-27)),
        ("89852041000000002195", "US data card", usa, "IN_USE", usa.volume * 92 // 100,
         days(12), days(-18)),
        ("89852041000000003276", "boom eSIM", europe, "GOT_RESOURCE", 0,
         now - timedelta(days=2) + ACTIVATE_WITHIN, days(-2)),
        ("89852041000000004357", "boom eSIM", small, "IN_USE", small.volume, days(9), days(-21)),
    )  # fmt: skip
    return [
        _sold(n, iccid, brand, package, status, used, expires_at, sold_at, now)
        for n, (iccid, brand, package, status, used, expires_at, sold_at) in enumerate(rows, 1)
    ]


def demo_state(now: datetime) -> EsimAccessState:
    """A fresh world with 200 dollars in our wallet."""
    return EsimAccessState(profiles=demo_profiles(now), packages=demo_packages())
