"""The two clients."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, TypedDict

from ._arguments import configuration
from ._async import AsyncCore, AsyncStream
from ._errors import Timeout, value_of
from ._library import lib, taken
from ._operations import EMBEDDED_READS, STREAMS, AsyncOperations, SyncOperations
from ._provide import Providing
from ._records import Record, decoded
from ._sync import Stream, SyncCore

if TYPE_CHECKING:
    from typing_extensions import Unpack


def describe(what: str) -> Any:
    """What the library says of itself: "ops", "op:sessions.create", "events", "errors" or "types"."""
    return value_of(decoded(taken(lib.tandem_describe(what.encode()))))


class ClientOptions(TypedDict, total=False):
    """Options of tandem_open; tandem.h explains each. `timeout` of the constructor is timeout_ms in seconds."""

    engine: str
    state: str
    workspace: str
    cassette: str
    connect_timeout_ms: int
    timeout_ms: int
    idle_timeout_ms: int
    retries: int
    on_conflict: str
    reply_limit_bytes: int
    event_limit_bytes: int
    transfers_limit: int
    op_queue_bytes: int
    ops_limit: int
    results_limit_bytes: int
    proxy: str
    ca_file: str
    client_certificate: str
    client_key: str
    headers: Mapping[str, str]
    act_as: str
    environment: bool
    discover: bool
    providers: Mapping[str, Mapping[str, Any]]
    default_provider: str
    default_model: str
    durability: str
    deterministic: int
    vocabulary: str
    subscription: str
    coalesce_ms: int
    fold: bool
    log_level: str
    strict: bool


def _is_embedded(base_url: str | None, options: Mapping[str, Any]) -> bool:
    return (base_url or "embedded:").startswith("embedded:") and options.get("engine", "embedded") == "embedded"


def _attending(base_url: str | None, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of a client whose calls do their network's work on the thread that waits, where there is a network."""
    return options if _is_embedded(base_url, options) else {"delivery": "attend", **options}


class SyncTandemClient(SyncOperations, Providing[SyncCore]):
    """A blocking client of an engine.

    base_url: "http://host:port" of a running engine; "embedded:" for the engine inside this process, in memory, and
        "embedded:/path" for one that keeps its state in that directory.
    token: the running engine's token.
    timeout: seconds that a call may take.

    Each operation is a method of a namespace, client.sessions.create(...). Arguments that are None are not sent. Every
    method also takes options of the call as keywords: timeout (seconds), timeout_ms, tag, take, retries, headers,
    vocabulary, strict, ... Threads may share a client. Ctrl-C cancels the operation that is waited for.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        at_once = EMBEDDED_READS if _is_embedded(base_url, options) else frozenset()
        text = configuration(base_url, token, timeout, _attending(base_url, options))
        super().__init__(SyncCore(text, at_once, options.get("vocabulary")))

    def call(self, operation: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Calls an operation by its name, "sessions.create", and returns its whole result: of a stream, its events."""
        if operation not in STREAMS:
            return self._core.call(operation, arguments or {}, options, keep_none=True)
        events = []
        try:
            with self.follow(operation, arguments, **options) as stream:
                for event in stream:
                    events.append(event)
        except Timeout:
            return Record(events=events, ended=False)
        return Record(stream.result, events=events)

    def follow(self, operation: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Stream:
        """Calls an operation and gives its events as they come, and its result at the end."""
        return self._core.stream(operation, arguments or {}, options, keep_none=True)

    def stats(self) -> Record:
        """Numbers about this client: operations, events, memory."""
        return self._core.stats()

    def serve(self, timeout: float | None = None) -> None:
        """Does nothing but serve calls of what this program provides, for so many seconds, or until it is interrupted.

        Threads that wait in a call or a stream serve them, too; this is for a program that has nothing else to do.
        """
        self._core.serve(timeout)

    def close(self) -> None:
        """Ends all operations and closes the client. A client that is dropped is closed too."""
        self._core.close()

    def __enter__(self) -> SyncTandemClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TandemClient(AsyncOperations, Providing[AsyncCore]):
    """A client of an engine for asyncio.

    base_url: "http://host:port" of a running engine; "embedded:" for the engine inside this process, in memory, and
        "embedded:/path" for one that keeps its state in that directory.
    token: the running engine's token.
    timeout: seconds that a call may take.

    Each operation is a coroutine method of a namespace, await client.sessions.create(...). Arguments that are None are
    not sent. Every method also takes options of the call as keywords: timeout (seconds), timeout_ms, tag, take,
    retries, headers, vocabulary, strict, ... Cancelling a task cancels the operation that it waits for. A client
    belongs to the loop of its first call for as long as anything waits there.
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        text = configuration(base_url, token, timeout, _attending(base_url, options))
        super().__init__(AsyncCore(text, options.get("vocabulary")))

    async def call(self, operation: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Calls an operation by its name, "sessions.create", and returns its whole result: of a stream, its events."""
        if operation not in STREAMS:
            return await self._core.call(operation, arguments or {}, options, keep_none=True)
        events = []
        try:
            async with self.follow(operation, arguments, **options) as stream:
                async for event in stream:
                    events.append(event)
        except Timeout:
            return Record(events=events, ended=False)
        return Record(stream.result, events=events)

    def follow(self, operation: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> AsyncStream:
        """Calls an operation and gives its events as they come, and its result at the end."""
        return self._core.stream(operation, arguments or {}, options, keep_none=True)

    def stats(self) -> Record:
        """Numbers about this client: operations, events, memory."""
        return self._core.stats()

    async def close(self) -> None:
        """Ends all operations and closes the client. A client that is dropped is closed too."""
        await self._core.close()

    aclose = close

    async def __aenter__(self) -> TandemClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
