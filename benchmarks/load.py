"""Fifty clients at once against `stallcheck serve`, beside a bare endpoint that returns a constant.

Usage: python benchmarks/load.py [SECONDS]     (default: 60; needs pip install '.[web]')

Each client keeps one connection and sends a request as soon as the last is answered. Both servers
run in this run, one after the other, a process each. Prints requests, errors and latencies.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from statistics import median, quantiles

CLIENTS = 50
BARE = """
import socket, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.post("/api/v1/predict")
async def constant() -> dict[str, str]:
    return {"verdict": "stall"}
listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
"""
OURS = ["-m", "classifier", "serve", "--port", "0"]
TEXTS = (
    "let me think about it and come back to you next week",
    "it's about 20% over what we pay the other lot now, and they deliver on Saturdays",
    "see you on Tuesday at two then, bring the drawings",
    "we're in the middle of an audit so nothing moves before October",
)


def main() -> None:
    """Print both lines and the ratio of the medians."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    bare, _ = measure("a constant", ["-c", BARE], seconds)
    ours, errors = measure("stallcheck", OURS, seconds)
    print(f"ratio of the medians {ours / bare:.2f}, {errors} errors")


def measure(name: str, arguments: list[str], seconds: float) -> tuple[float, int]:
    """Median latency in milliseconds, and errors, of the server that the arguments start."""
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(re.search(r":(\d+)/", server.stdout.readline())[1])  # type: ignore[index]
        time.sleep(2)
        taken, errors = asyncio.run(run(port, seconds))
        server.terminate()
    found = [1000 * each for each in taken]
    print(
        f"{name}: {len(found):,} requests in {seconds:.0f} s, {errors} errors, "
        f"median {median(found):.1f} ms, 95% within {quantiles(found, n=20)[-1]:.1f} ms",
        flush=True,
    )
    return median(found), errors


async def run(port: int, seconds: float) -> tuple[list[float], int]:
    """Latencies in seconds, and the number of answers that were not 200."""
    end = time.perf_counter() + seconds
    parts = await asyncio.gather(*(client(port, end, number) for number in range(CLIENTS)))
    return [each for taken, _ in parts for each in taken], sum(errors for _, errors in parts)


async def client(port: int, end: float, number: int) -> tuple[list[float], int]:
    """One connection, one request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken, errors = [], 0
    while time.perf_counter() < end:
        body = json.dumps({"texts": [f"{TEXTS[len(taken) % len(TEXTS)]} {number}"]}).encode()
        head = (
            f"POST /api/v1/predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        start = time.perf_counter()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.search(r"content-length: (\d+)", answer, re.I)[1])  # type: ignore[index]
        await reader.readexactly(length)
        taken.append(time.perf_counter() - start)
        errors += " 200 " not in answer[:20]
    writer.close()
    return taken, errors


if __name__ == "__main__":
    main()
