"""The address that is served on."""

import os
import socket

from revision_quality.errors import SettingsError


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Take the address to serve on. Raises SettingsError if it cannot be had.

    One that `is_shared` may be taken by several processes that all say so (SO_REUSEPORT): a new
    one answers before the old one ends.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, reuse_port=is_shared)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else str(error)
        raise SettingsError(
            f"cannot serve on {host}, port {port} ({reason}):"
            " choose another with --host and --port, or port 0 for any that is free"
        ) from error


def url_of(listening: socket.socket) -> str:
    """Return the address of the pages."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
