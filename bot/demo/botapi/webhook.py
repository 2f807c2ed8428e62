"""getUpdates and webhooks: how the bot comes by its updates."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import Json
from bot.demo.botapi.params import Method, Params
from bot.demo.botapi.updates import Webhook
from bot.demo.faults import FaultBoard

if TYPE_CHECKING:
    from bot.demo.world import World

MAX_POLL_SECONDS = 50
RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")


def _kinds(params: Params) -> list[str] | None:
    kinds = params.get("allowed_updates")
    if kinds is None:
        return None
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise bad_request("can't parse allowed_updates: expected an Array of String")
    return kinds


async def get_updates(world: World, params: Params) -> list[Json]:
    limit = min(max(params.get("limit", 100), 1), 100)
    timeout = min(max(params.get("timeout", 0), 0), MAX_POLL_SECONDS)
    return await world.updates.fetch(params.get("offset", 0), limit, timeout, _kinds(params))


def set_webhook(world: World, params: Params) -> bool:
    """Push updates to a loopback address from now on; an empty url deletes the webhook.

    Telegram wants HTTPS and a public address; a stand-in must never call one.
    """
    url, secret = params["url"], params.get("secret_token", "")
    if not url:
        return delete_webhook(world, params)
    if not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    if not _is_loopback(url):
        raise bad_request("bad webhook: the stand-in calls loopback addresses only")
    connections = params.get("max_connections", 40)
    if not 1 <= connections <= 100:
        raise bad_request("max_connections must be between 1 and 100")
    world.updates.allow(_kinds(params))
    if params.get("drop_pending_updates"):
        world.updates.pending.clear()
    world.updates.webhook = Webhook(url, secret, connections)
    world.updates.wake()
    return True


def _is_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def delete_webhook(world: World, params: Params) -> bool:
    world.updates.webhook = None
    if params.get("drop_pending_updates"):
        world.updates.pending.clear()
    world.updates.wake()
    return True


def get_webhook_info(world: World, _params: Params) -> Json:
    world.updates.expire()
    return world.updates.webhook_info()


class Pusher:
    """Posts updates to the webhook in order; one that is not taken (2xx) is tried again."""

    def __init__(self, world: World, faults: FaultBoard) -> None:
        self._world = world
        self._faults = faults
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="webhook pusher")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        failures = 0
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                queue = self._world.updates
                queue.expire()
                hook = queue.webhook
                if hook is None or not queue.pending:
                    await queue.changed(60)
                    continue
                update = queue.pending[0]
                error = "Connection refused"
                if not self._faults.is_set("telegram_down"):
                    error = await self._post(session, hook, update.as_update())
                if error:
                    hook.last_error, hook.last_error_at = error, self._world.unix_time()
                    await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                    failures += 1
                else:
                    failures = 0
                    queue.acknowledge(update.update_id + 1)

    async def _post(self, session: aiohttp.ClientSession, hook: Webhook, update: Json) -> str:
        """Why the bot did not take the update, or "" when it did."""
        headers = {}
        if hook.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret_token
        try:
            async with session.post(hook.url, json=update, headers=headers) as answer:
                if answer.ok:
                    return ""
                return f"Wrong response from the webhook: {answer.status} {answer.reason}"
        except TimeoutError:
            return "Read timeout expired"
        except aiohttp.ClientError as error:
            return f"Connection failed: {type(error).__name__}"


METHODS = {
    "getUpdates": Method(
        get_updates,
        {
            "offset": p.integer,
            "limit": p.integer,
            "timeout": p.integer,
            "allowed_updates": p.structure,
        },
    ),
    "setWebhook": Method(
        set_webhook,
        {
            "url": p.string,
            "secret_token": p.string,
            "max_connections": p.integer,
            "allowed_updates": p.structure,
            "drop_pending_updates": p.boolean,
        },
        ("url",),
    ),
    "deleteWebhook": Method(delete_webhook, {"drop_pending_updates": p.boolean}),
    "getWebhookInfo": Method(get_webhook_info),
}
