"""`stallcheck serve`: the page and the REST API."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

from classifier.errors import InputError, MissingExtra

EPILOG = """\b
Examples:
  stallcheck serve
  stallcheck serve --port 0 --open
  stallcheck serve --host 192.168.1.20 --token-file token.txt
"""
_SHORTEST_TOKEN = 16


@click.command(epilog=EPILOG)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8765, show_default=True, help="Port; 0 for a free one."
)
@click.option("--open", "browse", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="File with the token that others must give."
)
@click.option(
    "-m", "--model", "folder", type=click.Path(path_type=Path), help="Model to use: a folder, or strong."
)
def serve(host: str, port: int, browse: bool, token_file: Path | None, folder: Path | None) -> None:
    """Serve the page and the REST API (documented at /docs) until Ctrl-C.

    On this machine alone, unless another --host is given, which then demands a --token-file.
    Nothing that is pasted or uploaded is logged, and files are removed when they are done with.
    """
    import socket

    try:
        import uvicorn

        from classifier.web.app import LOOPBACK, create_app
    except ImportError as error:
        raise MissingExtra("serving the page", "web") from error
    from classifier.verdict import load

    token = _token(token_file) if token_file else None
    if not _is_loopback(host) and token is None:
        raise InputError(f"--host {host} can be reached by others: give --token-file FILE with a token")
    app = create_app(load(folder), hosts=LOOPBACK | {host.lower()}, token=token)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # who reads the address may ask at once
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise InputError(f"can't listen on {host} port {port} ({why}): choose another --port") from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/"
    click.echo(f"stallcheck is at {address} (Ctrl-C stops it)")
    if browse:
        import webbrowser

        webbrowser.open(address)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as a token file") from error
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{path}: a token has {_SHORTEST_TOKEN} or more letters and digits, on one line")
    return token
