"""AI-agent sessions: a client of tandem-engine, and an engine inside this process.

    from libtandem import SyncTandemClient

    with SyncTandemClient() as client:                      # or SyncTandemClient("http://localhost:39731", token)
        session_id = client.sessions.create(title="First")
        print(client.sessions.prompt_sync(session_id, "Hello!"))

TandemClient is the same for asyncio.
"""
from ._client import ClientOptions, SyncTandemClient, TandemClient, describe
from ._library import VERSION as __version__
from ._records import Record
from ._sync import Stream
from ._async import AsyncStream
from ._errors import (
    ApprovalRequired, Busy, Cancelled, Closed, Conflict, ContextLengthExceeded, EngineError, EngineStarting,
    EngineUnavailable, Forbidden, Forked, Gone, HostFailed, HostTimeout, IdempotencyConflict, InternalError, Interrupted,
    InvalidArgument, InvalidJSON, LimitError, ModelNotSelected, NotFound, NotSupported, PayloadTooLarge, Pending,
    PermissionDenied, PermissionExpired, ProtocolError, ProviderAuth, ProviderError, ProviderMissing,
    ProviderRateLimited, RateLimited, Reentrant, Refused, RunConflict, StateCorrupt, StateError, StateFull, StateLocked,
    TLSError, TandemError, Timeout, ToolFailed, Unauthorized, UnknownArgument, UnknownOperation, ValidationFailed,
)

Event = Record

__all__ = [
    "AsyncStream", "ClientOptions", "Event", "Record", "Stream", "SyncTandemClient", "TandemClient", "__version__",
    "describe",
    "ApprovalRequired", "Busy", "Cancelled", "Closed", "Conflict", "ContextLengthExceeded", "EngineError",
    "EngineStarting", "EngineUnavailable", "Forbidden", "Forked", "Gone", "HostFailed", "HostTimeout",
    "IdempotencyConflict", "InternalError", "Interrupted", "InvalidArgument", "InvalidJSON", "LimitError",
    "ModelNotSelected", "NotFound", "NotSupported", "PayloadTooLarge", "Pending", "PermissionDenied",
    "PermissionExpired", "ProtocolError", "ProviderAuth", "ProviderError", "ProviderMissing", "ProviderRateLimited",
    "RateLimited", "Reentrant", "Refused", "RunConflict", "StateCorrupt", "StateError", "StateFull", "StateLocked",
    "TLSError", "TandemError", "Timeout", "ToolFailed", "Unauthorized", "UnknownArgument", "UnknownOperation",
    "ValidationFailed",
]
