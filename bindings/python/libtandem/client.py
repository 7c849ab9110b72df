"""The clients, where tandem_client has them."""
from typing import TYPE_CHECKING

from . import types
from ._client import SyncTandemClient, TandemClient

__all__ = ["SyncTandemClient", "TandemClient"]

if not TYPE_CHECKING:

    def __getattr__(name):
        # The official module has the classes of its results, too.
        if name in types.__all__:
            return getattr(types, name)
        raise AttributeError(f"module {__name__!r} has no {name!r}")
