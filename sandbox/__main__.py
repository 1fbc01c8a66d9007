"""`python -m sandbox`: the AWS account in a box on one port."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType
from typing import NoReturn

from sandbox.clock import CLOCK
from sandbox.server import create_server


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument(
        "--fleet", type=_fleet, default="none", metavar="demo|none|N", help="what to seed; N for that many functions"
    )
    parser.add_argument("--clock", default="", help="waits in seconds, as create=0.1,update=0.1,wake=2,provisioned=1")
    return parser.parse_args()


def _fleet(name: str) -> str:
    if name not in ("demo", "none") and not name.isdecimal():
        raise argparse.ArgumentTypeError(f"no fleet is called {name!r}: demo, none, or a number of functions")
    return name


def _set_clock(waits: str) -> None:
    pairs = [pair.split("=", 1) for pair in waits.split(",") if pair]
    CLOCK.set({name.strip(): float(seconds) for name, seconds in pairs})


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; exit code 2 when the port is taken or an argument is wrong."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    try:
        _set_clock(arguments.clock)
        server = create_server(arguments.host, arguments.port)
    except (OSError, ValueError) as error:
        print(f"sandbox: cannot start on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    if arguments.fleet != "none":
        # The fleet's images cost time to build, so they are loaded only when asked for.
        from sandbox.fleet import seed

        seed(arguments.fleet)
    print(f"sandbox ready on {server.url}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


if __name__ == "__main__":
    main()
