"""The suppliers' stand-ins side by side: what they know, where they listen, how they are kept."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.routing import Mount

from bot.demo import airalo_state, dingconnect_state, esim_access_state, reloadly_state
from bot.demo.airalo import airalo_routes
from bot.demo.airalo_state import AiraloState
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.dingconnect import dingconnect_routes
from bot.demo.dingconnect_state import DingConnectState
from bot.demo.esim_access import esim_access_routes
from bot.demo.esim_access_state import EsimAccessState
from bot.demo.faults import FaultBoard
from bot.demo.kept import file_name, keep, kept
from bot.demo.reloadly import reloadly_routes
from bot.demo.reloadly_state import ReloadlyState

PACE = 1000
"""Calls a second and a minute: a real supplier's pace would stretch a week lived in seconds."""


@dataclass(slots=True)
class Suppliers:
    """The memory of each supplier."""

    esim_access: EsimAccessState
    airalo: AiraloState
    reloadly: ReloadlyState
    dingconnect: DingConnectState

    @classmethod
    def load(cls, home: Path, now: datetime) -> "Suppliers":
        """As they were kept in `home`, or fresh at `now` (UTC)."""
        eased = {"tokens_per_minute": PACE, "usage_per_minute": PACE}
        return cls(
            esim_access=kept(
                home, EsimAccessState,
                lambda: esim_access_state.demo_state(now).model_copy(
                    update={"requests_per_second": PACE}
                ),
            ),
            airalo=kept(
                home, AiraloState, lambda: airalo_state.demo_state(now).model_copy(update=eased)
            ),
            reloadly=kept(home, ReloadlyState, reloadly_state.demo_state),
            dingconnect=kept(home, DingConnectState, dingconnect_state.demo_state),
        )  # fmt: skip

    def save(self, home: Path) -> None:
        """Keep them in `home`."""
        for state in (self.esim_access, self.airalo, self.reloadly, self.dingconnect):
            keep(home, state)

    def routes(self, clock: WorldClock, faults: FaultBoard, calls: CallLog) -> list[Mount]:
        """Where each listens, below the demo's address."""
        shared = (clock, faults, calls)
        return [
            Mount("/suppliers/esim-access", routes=esim_access_routes(self.esim_access, *shared)),
            Mount("/suppliers/airalo", routes=airalo_routes(self.airalo, *shared)),
            Mount("/suppliers/reloadly", routes=reloadly_routes(self.reloadly, *shared)),
            Mount("/suppliers/dingconnect", routes=dingconnect_routes(self.dingconnect, *shared)),
        ]

    def settings(self, url: str) -> dict[str, str]:
        """What the bot needs to reach them: environment variables."""
        base = f"{url}/suppliers"
        return {
            "XUKA_ESIM_ACCESS__ACCESS_CODE": self.esim_access.access_code,
            "XUKA_ESIM_ACCESS__SECRET_KEY": self.esim_access.secret_key,
            "XUKA_ESIM_ACCESS__BASE_URL": f"{base}/esim-access",
            "XUKA_ESIM_ACCESS__REQUESTS_PER_SECOND": str(PACE),
            "XUKA_AIRALO__CLIENT_ID": self.airalo.client_id,
            "XUKA_AIRALO__CLIENT_SECRET": self.airalo.client_secret,
            "XUKA_AIRALO__BASE_URL": f"{base}/airalo/v2",
            "XUKA_AIRALO__REQUESTS_PER_SECOND": str(PACE),
            "XUKA_RELOADLY__CLIENT_ID": self.reloadly.client_id,
            "XUKA_RELOADLY__CLIENT_SECRET": self.reloadly.client_secret,
            "XUKA_RELOADLY__WEBHOOK_SECRET": self.reloadly.webhook_secret,
            "XUKA_RELOADLY__BASE_URL": f"{base}/reloadly",
            "XUKA_RELOADLY__AUTH_URL": f"{base}/reloadly",
            "XUKA_DINGCONNECT__API_KEY": self.dingconnect.api_key,
            "XUKA_DINGCONNECT__BASE_URL": f"{base}/dingconnect",
        }


FILES = tuple(
    file_name(kind) for kind in (EsimAccessState, AiraloState, ReloadlyState, DingConnectState)
)
"""Names of the files in a demo's home."""
