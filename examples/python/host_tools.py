#!/usr/bin/env python3
"""Tools of this program for a model: plain functions, whose signatures are what the model is shown.

    host_tools.py [ENGINE [PROMPT]]     ENGINE: embedded: (the default) or embedded:/state/dir
"""
import os
import sys
from typing import Literal

from libtandem import SyncTandemClient

lamps = {"kitchen": False, "hall": True}


with SyncTandemClient(sys.argv[1] if len(sys.argv) > 1 else "embedded:", environment=True) as client:

    @client.tool
    def list_lamps() -> dict[str, bool]:
        """Says which lamps there are, and whether each is on."""
        return lamps

    @client.tool(permission="ask")
    def switch_lamp(room: str, to: Literal["on", "off"]) -> str:
        """Switches a lamp.

        Args:
            room: where the lamp is, as list_lamps names it
        """
        if room not in lamps:
            raise ValueError(f"there is no lamp in {room}; there are lamps in {', '.join(lamps)}")
        lamps[room] = to == "on"
        return "done"

    @client.on_permission
    def decide(request):
        print(f"{request['tool']} {dict(request['args'])}: allowed")
        return "once"

    session_id = client.sessions.create(directory=os.getcwd())
    print(client.sessions.prompt_sync(session_id, sys.argv[2] if len(sys.argv) > 2 else "Make the kitchen bright."))
