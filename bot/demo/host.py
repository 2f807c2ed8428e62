"""`xuka demo`: the stand-ins, the chat page and the clock in this process, the bot in another.

The bot is started as `xuka run` would start it; only its addresses differ. Should it die, it is
started again, as a service manager would.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.botapi.app import create_app
from bot.demo.botapi.models import PROVIDER_TOKEN
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.esim_access_state import EsimAccessState
from bot.demo.faults import FaultBoard
from bot.demo.in_store import in_store
from bot.demo.page import page_routes
from bot.demo.providers import FILES as PROVIDER_FILES
from bot.demo.providers import HOOKS_SECRET, Providers
from bot.demo.suppliers import FILES, Suppliers
from bot.demo.tryout import OPERATOR, TOKEN, page_facts
from bot.demo.webhooks import Webhooks
from bot.demo.world import World

HOST = "127.0.0.1"
HOOKS = "XUKA_HOOKS_SECRET"
RATES = {
    "XUKA_RATES__TABLE": '{"USD/CNY": 7.2, "PHP/USD": 0.0175, "PHP/CNY": 0.126, "CNY/USD": 0.139}'
}
"""What the demo's shop charges for money of another country."""
POINTS = {
    "XUKA_POINTS__ENABLED": "true",
    "XUKA_POINTS__EARN": '{"USD": 10, "CNY": 1.4, "PHP": 0.2}',
    "XUKA_POINTS__WORTH": '{"USD": 0.01, "CNY": 0.07, "PHP": 0.5}',
}
_START_SECONDS = 20.0
_LIVE_SECONDS = 120.0
_CALL_PAUSE = 1.0


class DemoRefused(Exception):
    """The demo can't start; the message names the cure."""


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Demo:
    """One demo world and its bot. `extra` are environment variables for the bot, an empty one
    unset; `clock` tells the time a fresh world begins at."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        extra: Mapping[str, str] | None = None,
        clock: WorldClock | None = None,
    ) -> None:
        self.home = home
        self.port = port or free_port()
        self.bot_port = free_port()
        self.extra = dict(extra or {})
        self.command = [sys.executable, "-m", "bot", "run"]
        self.faults = FaultBoard()
        self.clock = clock or WorldClock()
        self._world_file = home / "world.json"
        self.world = self._load_world()
        self.suppliers = Suppliers.load(home, self.clock.now())
        self.providers = Providers.load(home)
        self.providers.call(self.bot_url, self.extra.get("XUKA_HOOKS_SECRET", HOOKS_SECRET))
        self.calls = CallLog(self.clock)
        self.webhooks = Webhooks(self.suppliers, self.clock, self.faults, self.calls)
        self._moving = asyncio.Lock()
        self._calling = asyncio.Lock()
        self._called = 0
        """How often a supplier has called the bot."""
        self._bot: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._caller: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._http = httpx.AsyncClient(trust_env=False, timeout=_LIVE_SECONDS)

    @property
    def url(self) -> str:
        """Where the chat page is."""
        return f"http://{HOST}:{self.port}"

    @property
    def bot_url(self) -> str:
        """Where the bot's own web server is."""
        return f"http://{HOST}:{self.bot_port}"

    @property
    def bot_pid(self) -> int | None:
        """The bot's process, while it runs."""
        alive = self._bot is not None and self._bot.returncode is None
        return self._bot.pid if self._bot is not None and alive else None

    def _load_world(self) -> World:
        if self._world_file.exists():
            world = World.load(self._world_file)
            self.clock = world.clock
            return world
        return World(clock=self.clock)

    @property
    def supplier(self) -> EsimAccessState:
        """What eSIM Access knows."""
        return self.suppliers.esim_access

    def save(self) -> None:
        """Keep the world beside the bot's database, so that the demo can go on another day."""
        self.world.save(self._world_file)
        self.suppliers.save(self.home)
        self.providers.save(self.home)

    # ---- starting and stopping -----------------------------------------------------------

    async def start(self) -> None:
        """Start the stand-ins, then the bot; returns when the bot answers."""
        app = create_app(self.world, self.faults, self.calls, hooks=self)
        app.router.routes += [
            *page_routes(),
            Route("/world", self._facts),
            Route("/bot", self._kill, methods=["DELETE"]),
            *self.suppliers.routes(self.clock, self.faults, self.calls),
            *self.providers.routes(self.clock, self.faults, self.calls),
        ]
        config = uvicorn.Config(
            app, host=HOST, port=self.port, log_level="error", access_log=False,
            timeout_graceful_shutdown=1,
            # Longer than any pause of the bot: a connection closed under it looks like a lost
            # answer.
            timeout_keep_alive=75,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        try:
            port = socket.create_server((HOST, self.port), backlog=2048)
        except (OSError, OverflowError) as error:
            raise DemoRefused(
                f"port {self.port} can't be used ({error}); choose another with --port"
            ) from None
        self._serving = asyncio.create_task(self._server.serve(sockets=[port]))
        self._keeper = asyncio.create_task(self._keep_bot())
        await self.wait_for_bot()
        await self._call()  # the first look: what is so from the beginning is no news
        self._caller = asyncio.create_task(self._keep_calling())

    async def stop(self) -> None:
        """Stop the bot cleanly, then the stand-ins."""
        for task in (self._caller, self._keeper):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._bot is not None and self._bot.returncode is None:
            self._bot.terminate()
            try:
                await asyncio.wait_for(self._bot.wait(), 10)
            except TimeoutError:
                self._bot.kill()
                await self._bot.wait()
        self.save()
        await self._http.aclose()
        await self.webhooks.close()
        if self._server is not None and self._serving is not None:
            self.world.events.close()
            self._server.should_exit = True
            await self._serving

    def environment(self) -> dict[str, str]:
        """The bot's settings: a real `xuka run`, with loopback addresses."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("XUKA_")}
        ours = {
            "NO_PROXY": HOST,
            "XUKA_BOT_TOKEN": TOKEN,
            "XUKA_TELEGRAM_API_URL": self.url,
            "XUKA_DATABASE_URL": f"sqlite+aiosqlite:///{self.home / 'xuka.db'}",
            "XUKA_OPERATOR_IDS": str(OPERATOR),
            "XUKA_LISTEN_PORT": str(self.bot_port),
            "XUKA_LOG_FORMAT": "json",
            "XUKA_SHOP__NAME": "续卡 Xuka",
            "XUKA_SHOP__LEGAL_NAME": "Xuka Demo Shop",
            "XUKA_SHOP__CONTACT": "shop@xuka.example",
            "XUKA_DEMO_CLOCK_URL": f"{self.url}/clock",
            **RATES,
            **POINTS,
            "XUKA_TELEGRAM__PROVIDER_TOKEN": PROVIDER_TOKEN,
            **self.suppliers.settings(self.url),
            **self.providers.settings(self.url),
            **in_store(self.home),
            **self.extra,
        }
        return clean | {name: value for name, value in ours.items() if value}

    async def _keep_bot(self) -> None:
        """Start the bot, and again whenever it ends."""
        with (self.home / "bot.log").open("ab") as log:
            while True:
                self._bot = await asyncio.create_subprocess_exec(
                    *self.command,
                    cwd=self.home, env=self.environment(), stdout=log, stderr=log,
                )  # fmt: skip
                await self._bot.wait()
                await asyncio.sleep(0.2)

    async def _keep_calling(self) -> None:
        """Suppliers call when something has changed, whether or not anybody looks."""
        while True:
            await self._call()
            await asyncio.sleep(_CALL_PAUSE)

    async def _call(self) -> bool:
        """Whether a supplier had something to tell the bot."""
        secret = self.extra.get(HOOKS, HOOKS_SECRET)
        async with self._calling:
            done = bool(secret) and await self.webhooks.send(f"{self.bot_url}/hooks", secret)
            self._called += done
            return done

    async def wait_for_bot(self) -> None:
        """Return when the bot's web server answers. Raises DemoRefused when it does not."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _START_SECONDS
        while loop.time() < end:
            with contextlib.suppress(httpx.HTTPError):
                if (await self._http.get(f"{self.bot_url}/healthz")).status_code == 200:
                    return
            await asyncio.sleep(0.03)
        said = (self.home / "bot.log").read_text("utf-8", "replace").splitlines()[-5:]
        raise DemoRefused("\n".join(["the bot did not start; its log ends with:", *said]))

    # ---- the stand-in's hooks ------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Live through `seconds`: stop wherever the bot has something to do, in order."""
        async with self._moving:
            end = self.clock.timestamp() + seconds
            while (left := end - self.clock.timestamp()) > 0.05:
                try:
                    await self._step(end, left)
                except httpx.TransportError:
                    # The bot died under us; the one that follows finds what was due.
                    await self.wait_for_bot()
            await self.idle(30)

    async def _step(self, end: float, left: float) -> None:
        answer = await self._http.get(f"{self.bot_url}/demo/next", params={"until": end})
        stop = float(answer.json()["at"])
        self.clock.advance(max(0.0, min(left, stop - self.clock.timestamp())))
        await self._http.post(f"{self.bot_url}/demo/live", json={"offset": self.clock.offset})
        if await self._call():
            await self._http.post(f"{self.bot_url}/demo/live", json={"offset": self.clock.offset})

    async def idle(self, timeout: float) -> bool:
        """Whether the bot has nothing left to do; waits for it."""
        with contextlib.suppress(httpx.HTTPError):
            while True:
                asked, called = {"timeout": timeout}, self._called
                answer = await self._http.post(f"{self.bot_url}/demo/idle", json=asked)
                # What the bot did may be a supplier's to tell of; one may be calling already.
                await self._call()
                if self._called == called:
                    return bool(answer.json()["idle"])
        return False

    async def _facts(self, _: Request) -> Response:
        return JSONResponse(page_facts())

    async def _kill(self, _: Request) -> Response:
        """Kill the bot's process outright; it is started again."""
        pid = self.bot_pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return JSONResponse({"killed": pid is not None})


async def _live(demo: Demo, browser: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    try:
        await demo.start()
        print(f"续卡 Xuka demo: {demo.url}", flush=True)
        print(f"Its files are in {demo.home}. Press Ctrl-C to stop.", flush=True)
        if browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(demo.url)
        await stop.wait()
    finally:
        await demo.stop()


def main(port: int, home: Path | None, browser: bool, fresh: bool) -> None:
    """Run the demo until Ctrl-C. Without `home` its files are thrown away at the end."""
    temporary = home is None
    folder = home or Path(tempfile.mkdtemp(prefix="xuka-demo-"))
    if fresh and not temporary:
        for name in (
            "world.json",
            *FILES,
            *PROVIDER_FILES,
            "xuka.db",
            "xuka.db-wal",
            "xuka.db-shm",
        ):
            (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(_run(folder.resolve(), port, browser))
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(folder: Path, port: int, browser: bool) -> None:
    await _live(Demo(folder, port), browser)
