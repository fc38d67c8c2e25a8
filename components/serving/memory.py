"""Memory that was freed goes back to the host while the app runs, not only when a model is unloaded."""

from __future__ import annotations

import anyio

from components.models import devices

EVERY = 10.0  # seconds; it takes some milliseconds


async def give_back() -> None:
    """Gives back what is free every so often, until it is cancelled."""
    while True:
        await anyio.sleep(EVERY)
        await anyio.to_thread.run_sync(devices.give_back)
