"""Keeps processes alive, by supervisor: restarts what dies, without end; all ends with it, however it ends.

What is ours here: supervisor gives a process up after some tries, and waits a second longer before each; a closed
terminal (SIGHUP) makes it start anew; `kill -9` leaves its children behind.
"""

import io
import os
import select
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions, decode_wait_status
from supervisor.states import ProcessStates, SupervisorStates
from supervisor.supervisord import Supervisor

from dashboard.broker import die_with_parent
from dashboard.env import ROOT
from dashboard.serving.output import Output
from dashboard.serving.programs import Program
from dashboard.serving.reports import EVERY, Reports

LONGEST_PAUSE = 30  # seconds between two tries to start what does not start
STARTED = 5  # seconds that a process has to run to count as running: what ends sooner is tried again with a pause
BENEATH_WITHIN = 10.0  # seconds for what the others stand on; then they start without it
STILL_ENDING = 3.0  # seconds after which an end under way is explained
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


class _Options(ServerOptions):  # type: ignore[misc]  # supervisor is untyped
    """Supervisor's options: children that end with this process, and how each ended last."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[int, str] = {}
        self._parent = os.getpid()

    def setpgrp(self) -> None:
        """In the child, before it becomes its program: it ends when this process is gone, even by kill -9.

        In a session of its own, so that neither a Ctrl-C nor the end of the terminal comes to it but from here.
        """
        os.setsid()
        die_with_parent()
        if os.getppid() != self._parent:
            os._exit(1)  # it was gone before

    def waitpid(self) -> tuple[int | None, int | None]:
        pid, status = super().waitpid()
        if pid:
            self.ends[pid] = decode_wait_status(status)[1]
        return pid, status

    def write_pidfile(self) -> None:
        """None: the lock of the data directory has the number."""


class Supervision(Supervisor):  # type: ignore[misc]
    """Supervisor with an own view of signals, of giving up, and of what people should read."""

    def __init__(self, programs: Sequence[Program], beneath_ready: Callable[[], bool], output: Output) -> None:
        super().__init__(_options(programs))
        self._patience = {each.name: each.patience for each in programs}
        self._beneath_ready = beneath_ready
        self._output = output
        self._reports = Reports(output.say)
        self._began = self._minute = time.monotonic()
        self._others_start = False
        self._ending: float | None = None
        self._terminal = _terminal()
        self._explained = False

    def runforever(self) -> None:
        """Until a signal."""
        events.subscribe(events.ProcessLogStdoutEvent, self._pass_on)
        events.subscribe(events.ProcessStateEvent, self._report)
        super().runforever()

    def handle_signal(self) -> None:
        """Each of ENDING ends everything, kindly; a second Ctrl-C at once."""
        number = self.options.get_signal()
        if number not in ENDING:
            return
        if self._ending is None:
            self._end()
        elif number == signal.SIGINT:
            for process in self._processes():
                process.delay = 0  # supervisor kills what has had its time

    def tick(self, now: float | None = None) -> None:
        """Once a second, and whenever something happens."""
        super().tick(now)
        monotonic = time.monotonic()
        if self._ending is not None:
            self._explain(monotonic - self._ending)
            return
        if self._terminal and self._terminal.poll(0):
            self._end()  # it was closed; whoever stands between it and us (make) may have kept that to itself
            return
        self._start_others(monotonic)
        for process in self._processes():
            process.backoff = min(process.backoff, LONGEST_PAUSE)  # the next pause is a second longer
        if monotonic - self._minute >= EVERY:
            self._minute = monotonic
            self._reports.minute(monotonic)

    def _end(self) -> None:
        self.options.mood = SupervisorStates.SHUTDOWN
        self._ending = time.monotonic()

    def _processes(self) -> list[Any]:
        return [process for group in self.process_groups.values() for process in group.processes.values()]

    def _start_others(self, now: float) -> None:
        """What stands on others starts once those are there, so that it has nothing to complain of."""
        if self._others_start or not (self._beneath_ready() or now - self._began > BENEATH_WITHIN):
            return
        self._others_start = True
        for process in self._processes():
            if process.state == ProcessStates.STOPPED:
                process.spawn()

    def _pass_on(self, event: Any) -> None:
        self._output.write(event.process.config.name, event.data)

    def _report(self, event: Any) -> None:
        process, now = event.process, time.monotonic()
        name = process.config.name
        if self._ending is not None:
            return
        if isinstance(event, events.ProcessStateRunningEvent):
            self._reports.runs(name, now)
        elif isinstance(event, events.ProcessStateExitedEvent | events.ProcessStateBackoffEvent):
            how = self.options.ends.pop(process.pid, "") or process.spawnerr or "could not be started"
            self._reports.ended(name, how, now)

    def _explain(self, seconds: float) -> None:
        if self._explained or seconds < STILL_ENDING:
            return
        self._explained = True
        running = {each.config.name: self._patience[each.config.name] for each in self._processes() if each.pid}
        if running:
            names = ", ".join(f"{name} (up to {patience} s)" for name, patience in running.items())
            self._output.say(f"Waiting for work under way: {names}. Ctrl-C once more ends it at once.")


def _terminal() -> "select.poll | None":
    """Tells when the terminal that this process was started in is gone; None where it was started in none."""
    if sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty():
        return None
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # nothing that is typed, only its end
    return terminal


def _options(programs: Sequence[Program]) -> _Options:
    options = _Options()
    options.configfile = io.StringIO(_configuration(programs))
    # As variables, so that nothing in a path is taken for supervisor's own syntax.
    options.environ_expansions = {
        f"ENV_{each.name}": shlex.join(["/bin/sh", "-c", f"exec {each.command}"]) for each in programs
    } | {"ENV_directory": str(ROOT)}
    options.realize([])
    options.first, options.test = True, False
    return options


def _configuration(programs: Sequence[Program]) -> str:
    """Supervisor's configuration file."""
    beneath = [each.name for each in programs if each.beneath]
    others = [each.name for each in programs if not each.beneath]
    sections = [
        "[supervisord]\nnodaemon=true\nsilent=true\nnocleanup=true\nlogfile=/dev/null\nlogfile_maxbytes=0\nminprocs=1"
    ]
    for priority, (group, names) in enumerate([("beneath", beneath), ("others", others)], start=1):
        if names:  # of two groups the one with the greater priority ends first
            sections.append(f"[group:{group}]\nprograms={','.join(names)}\npriority={priority}")
    sections += [
        f"[program:{each.name}]\ncommand=%(ENV_{each.name})s\ndirectory=%(ENV_directory)s\n"
        f"autostart={'true' if each.beneath else 'false'}\nautorestart=true\nstartsecs={STARTED}\n"
        f"startretries=1000000000\nstopwaitsecs={each.patience}\nredirect_stderr=true\nstdout_logfile=NONE\n"
        "stdout_events_enabled=true"
        for each in programs
    ]
    return "\n\n".join(sections) + "\n"


def keep_alive(programs: Sequence[Program], beneath_ready: Callable[[], bool], output: Output) -> None:
    """Run the programs until a signal says to end; all have ended then. To be called from the main thread."""
    try:
        Supervision(programs, beneath_ready, output).main()
    except ExitNow:  # supervisor's way of saying that it is done
        output.flush()
