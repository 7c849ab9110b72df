"""The clients, where tandem_client has them."""
from ._client import SyncTandemClient, TandemClient

__all__ = ["SyncTandemClient", "TandemClient"]
