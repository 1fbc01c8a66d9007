"""`python -m sandbox`: the AWS account in a box on one port."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from sandbox import clock
from sandbox.clock import CLOCK
from sandbox.core import pinned_moto

if TYPE_CHECKING:
    from sandbox.core.http_server import Server
    from sandbox.state import State

_SIZES = ("versions", "aliases", "repositories", "seed")
_YEARS = range(2000, 2200)  # that --today may lie in: further away dates end


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--clock", default="", help="waits in seconds, as create=0.1,update=0.1,wake=2,provisioned=1")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="keep the account there: a restart finds it again, and seeds no fleet into it",
    )
    parser.add_argument("--today", type=_day, metavar="DATE", help="which day it is here (UTC)")
    fleet = parser.add_argument_group("fleet", "what to seed; the options go with small and with numbers")
    fleet.add_argument("--fleet", type=_fleet, default="none", metavar="demo|small|none|N", help="N functions")
    fleet.add_argument("--versions", type=int, help="published versions of each function (10)")
    fleet.add_argument("--aliases", type=int, help="aliases of each function (2)")
    fleet.add_argument("--repositories", type=int, help="how many they are spread over (one per 50 functions)")
    fleet.add_argument("--seed", type=int, help="another number, another fleet of that size (0)")
    return parser.parse_args()


def _fleet(name: str) -> str:
    if name not in ("demo", "small", "none") and not name.isdecimal():
        raise argparse.ArgumentTypeError(f"no fleet is called {name!r}: demo, small, none, or a number of functions")
    return name


def _day(text: str) -> date:
    with suppress(ValueError):
        if (day := date.fromisoformat(text)).year in _YEARS:
            return day
    raise argparse.ArgumentTypeError(f"no day of {_YEARS[0]} to {_YEARS[-1]}: {text!r}; 2028-02-29 is one")


def _set_clock(waits: str) -> None:
    pairs = [pair.split("=", 1) for pair in waits.split(",") if pair]
    CLOCK.set({name.strip(): float(seconds) for name, seconds in pairs})


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _seed(arguments: argparse.Namespace) -> None:
    options = {name: value for name in _SIZES if (value := getattr(arguments, name)) is not None}
    if arguments.fleet == "none" and not options:
        return
    # The fleet's images cost time to build, so they are loaded only when asked for.
    from sandbox.fleet.seed import seed

    seed(arguments.fleet, **options)


def _restore(folder: Path) -> tuple[State, bool]:
    from sandbox.state import State

    state = State(folder)
    return state, state.load()


def _serve(server: Server, state: State | None) -> None:
    if state:
        state.save()
        server.app = state.watch(server.app)
    print(f"sandbox ready on {server.url}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
        if state:
            state.save()


def main() -> None:
    """Serve until SIGTERM or Ctrl-C; exit code 2 when the sandbox cannot start, with the reason on stderr."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    try:
        pinned_moto.check()
        # Only now: with another moto the import itself could fail, with an error that names no version.
        from sandbox.server import create_server

        _set_clock(arguments.clock)
        if arguments.today:
            CLOCK.ahead += (arguments.today - clock.now().date()).total_seconds()
        server = create_server(arguments.host, arguments.port)
        state, restored = _restore(arguments.state) if arguments.state else (None, False)
        if not restored:
            _seed(arguments)
    except (OSError, ValueError, pinned_moto.WrongMoto) as error:
        print(f"sandbox: cannot start on {arguments.host}:{arguments.port}: {error}", file=sys.stderr)
        raise SystemExit(2) from error
    _serve(server, state)


if __name__ == "__main__":
    main()
