"""The payment providers' stand-ins side by side: what they know, where they listen and call, how
they are kept."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel
from starlette.routing import Mount

from bot.demo import epay_state, paypal_state
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.epay import EpayStandIn
from bot.demo.epay_state import EpayState
from bot.demo.faults import FaultBoard
from bot.demo.kept import file_name, keep, kept
from bot.demo.paypal import PayPalStandIn
from bot.demo.paypal_state import PayPalState
from bot.demo.stripe import stripe_routes
from bot.demo.stripe_state import StripeState

HOOKS_SECRET = "demo-hooks-0b5f1e7c"  # noqa: S105 - opens a door of this machine only
"""Part of the address that the providers call the demo's bot at."""


@dataclass(slots=True)
class Providers:
    """The memory of each provider."""

    paypal: PayPalState
    epay: EpayState
    stripe: StripeState

    @classmethod
    def load(cls, home: Path) -> "Providers":
        """As they were kept in `home`, or fresh."""
        return cls(
            paypal=kept(home, PayPalState, paypal_state.demo_state),
            epay=kept(home, EpayState, epay_state.demo_state),
            stripe=kept(home, StripeState, StripeState),
        )

    def _all(self) -> tuple[BaseModel, ...]:
        return (self.paypal, self.epay, self.stripe)

    def save(self, home: Path) -> None:
        """Keep them in `home`."""
        for state in self._all():
            keep(home, state)

    def call(self, bot_url: str, secret: str = HOOKS_SECRET) -> None:
        """From now on they call the bot there; its port is another one each day."""
        hooks = f"{bot_url}/hooks"
        self.paypal.webhook_url = f"{hooks}/paypal/{secret}"
        self.epay.notify_url = f"{hooks}/epay/{secret}"
        self.stripe.webhook_url = f"{hooks}/stripe/{secret}"

    def routes(self, clock: WorldClock, faults: FaultBoard, calls: CallLog) -> list[Mount]:
        """Where each listens, below the demo's address: API and payers' pages."""
        shared = (clock, faults, calls)
        return [
            Mount("/providers/paypal", routes=PayPalStandIn(self.paypal, *shared).routes()),
            Mount("/providers/epay", routes=EpayStandIn(self.epay, *shared).routes()),
            Mount("/providers/stripe", routes=stripe_routes(self.stripe, *shared)),
        ]

    def settings(self, url: str) -> dict[str, str]:
        """What the bot needs to reach them and to be called: environment variables."""
        base = f"{url}/providers"
        return {
            "XUKA_HOOKS_SECRET": HOOKS_SECRET,
            "XUKA_PAYPAL__CLIENT_ID": self.paypal.client_id,
            "XUKA_PAYPAL__SECRET": self.paypal.secret,
            "XUKA_PAYPAL__WEBHOOK_ID": self.paypal.webhook_id,
            "XUKA_PAYPAL__BASE_URL": f"{base}/paypal",
            "XUKA_EPAY__URL": f"{base}/epay",
            "XUKA_EPAY__PID": self.epay.pid,
            "XUKA_EPAY__KEY": self.epay.key,
            "XUKA_EPAY__REFUNDS": str(self.epay.refunds).lower(),
            "XUKA_EPAY__NOTIFY_URL": self.epay.notify_url,
            "XUKA_STRIPE__SECRET_KEY": self.stripe.secret_key,
            "XUKA_STRIPE__WEBHOOK_SECRET": self.stripe.webhook_secret,
            "XUKA_STRIPE__BASE_URL": f"{base}/stripe",
            "XUKA_STRIPE__METHODS": "card,alipay,wechat",
            "XUKA_STRIPE__CURRENCIES": "USD,CNY",
        }


FILES = tuple(file_name(kind) for kind in (PayPalState, EpayState, StripeState))
"""Names of the files in a demo's home."""
