"""What tandem_client has beside its streams."""
from __future__ import annotations

from typing import Any

# The last events of a run, in the words of the documentation, the engine and this library.
TERMINAL = frozenset(
    "run.complete run.completed run.failed run.cancelled run.canceled run.timeout session.run.finished"
    " session.run.completed session.run.failed session.run.cancelled session.run.canceled".split()
)


def is_run_terminal_event(event: Any) -> bool:
    """Whether an event, or the type of one, says that its run is over."""
    return (event if isinstance(event, str) else getattr(event, "type", None)) in TERMINAL


__all__ = ["is_run_terminal_event"]
