"""Live tail: a stream of what is written from now on, read by plain boto3."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

from sandbox.logs.log_store import now_ms
from tests.fixtures import REGION, ClientFactory, Sandbox
from tests.sandbox.functions import Functions, until

Clock = Callable[..., AbstractContextManager[None]]


class Tail:
    """A live tail that is read by a thread of its own, as `aws logs tail` does."""

    def __init__(self, stream: Any) -> None:
        self.starts: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self._stream = stream
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for event in self._stream:
                self.starts += [event["sessionStart"]] if "sessionStart" in event else []
                self.updates += [event["sessionUpdate"]] if "sessionUpdate" in event else []
                if self._leaving.is_set():
                    break
        except EventStreamError as error:
            self.error = error
        finally:
            self._stream.close()

    def leave(self) -> None:
        """Close the connection, at the next update."""
        self._leaving.set()
        self._thread.join(10)

    @property
    def results(self) -> list[dict[str, Any]]:
        """All events so far."""
        return [result for update in self.updates for result in update["sessionResults"]]

    @property
    def messages(self) -> list[str]:
        """All messages so far."""
        return [result["message"] for result in self.results]

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return not self._thread.is_alive()


@pytest.fixture
def logs(client: ClientFactory) -> Any:
    """The logs of the test's own account, with a group that has a past."""
    api = client("logs")
    api.create_log_group(logGroupName="group")
    write(api, "before")
    return api


@pytest.fixture(autouse=True)
def _brisk(clock: Clock) -> Iterator[None]:
    with clock(tail=0.05):
        yield


def write(api: Any, *messages: str, group: str = "group", stream: str = "stream") -> None:
    """Write messages as of now."""
    with suppress(api.exceptions.ResourceAlreadyExistsException):
        api.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": now_ms(), "message": message} for message in messages]
    api.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def arn(account: str, group: str = "group") -> str:
    """A log group's ARN as live tail wants it."""
    return f"arn:aws:logs:{REGION}:{account}:log-group:{group}"


@contextmanager
def tailing(api: Any, *identifiers: str, **more: Any) -> Iterator[Tail]:
    """A live tail for a block; it has begun when the block does."""
    tail = Tail(api.start_live_tail(logGroupIdentifiers=list(identifiers), **more)["responseStream"])
    try:
        until(lambda: tail.starts)
        yield tail
    finally:
        tail.leave()


def test_only_new_lines_are_streamed(logs: Any, account: str) -> None:
    with tailing(logs, arn(account)) as tail:
        write(logs, "one", "two")
        until(lambda: len(tail.messages) == 2)
    assert tail.messages == ["one", "two"]


def test_the_stream_begins_with_the_sessions_terms(logs: Any, account: str) -> None:
    with tailing(logs, arn(account), logEventFilterPattern="ERROR", logStreamNames=["stream"]) as tail:
        (start,) = tail.starts
    assert start["sessionId"]
    assert start["requestId"]
    assert start["logGroupIdentifiers"] == [arn(account)]
    assert start["logEventFilterPattern"] == "ERROR"
    assert start["logStreamNames"] == ["stream"]


def test_an_event_says_where_it_comes_from(logs: Any, account: str) -> None:
    with tailing(logs, arn(account)) as tail:
        write(logs, "here")
        (result,) = until(lambda: tail.results)
    assert (result["logGroupIdentifier"], result["logStreamName"]) == (f"{account}:group", "stream")
    assert 0 <= result["ingestionTime"] - result["timestamp"] < 60_000


def test_updates_come_without_events_too(logs: Any, account: str) -> None:
    with tailing(logs, arn(account)) as tail:
        until(lambda: len(tail.updates) >= 2)
    assert tail.updates[0] == {"sessionMetadata": {"sampled": False}, "sessionResults": []}


def test_a_filter_pattern_lets_only_its_lines_through(logs: Any, account: str) -> None:
    with tailing(logs, arn(account), logEventFilterPattern='"ERROR" -retry') as tail:
        write(logs, "INFO fine", "ERROR with retry", "ERROR bad")
        until(lambda: tail.messages)
    assert tail.messages == ["ERROR bad"]


@pytest.mark.parametrize("terms", [{"logStreamNames": ["b/1"]}, {"logStreamNamePrefixes": ["b/"]}])
def test_streams_are_chosen_by_name_and_by_prefix(logs: Any, account: str, terms: dict[str, Any]) -> None:
    with tailing(logs, arn(account), **terms) as tail:
        write(logs, "no", stream="a/1")
        write(logs, "yes", stream="b/1")
        until(lambda: tail.messages)
    assert tail.messages == ["yes"]


def test_several_groups_are_followed_at_once(logs: Any, account: str) -> None:
    logs.create_log_group(logGroupName="other")
    with tailing(logs, arn(account), arn(account, "other")) as tail:
        write(logs, "first")
        write(logs, "second", group="other")
        until(lambda: len(tail.results) == 2)
    assert {result["logGroupIdentifier"] for result in tail.results} == {f"{account}:group", f"{account}:other"}


def test_more_than_500_lines_in_one_update_are_sampled(logs: Any, account: str, clock: Clock) -> None:
    with clock(tail=1.0), tailing(logs, arn(account)) as tail:
        write(logs, *(f"line {number}" for number in range(2000)))
        update = until(lambda: next((update for update in tail.updates if update["sessionResults"]), None))
    assert update is not None
    assert update["sessionMetadata"] == {"sampled": True}
    assert len(update["sessionResults"]) == 500


def test_a_running_functions_lines_are_seen_while_it_runs(functions: Functions, account: str) -> None:
    functions.deploy(
        "import time\ndef handler(event, context):\n    print('early')\n    time.sleep(event)\n", Timeout=10
    )
    functions.invoke(event=0)
    with tailing(functions.logs, arn(account, "/aws/lambda/app")) as tail:
        functions.invoke(event=2, InvocationType="Event")
        until(lambda: "early" in tail.messages)
        assert not any(message.startswith("REPORT") for message in tail.messages)
        until(lambda: any(message.startswith("REPORT") for message in tail.messages))


def test_a_session_times_out(logs: Any, account: str, clock: Clock) -> None:
    with clock(tail_session=0.3), tailing(logs, arn(account)) as tail:
        until(lambda: tail.is_over)
    assert "SessionTimeoutException" in str(tail.error)


def open_tails(sandbox: Sandbox, account: str) -> int:
    """How many sessions the account has open."""
    return int(sandbox.admin("GET", f"live-tails?account={account}")["open"])


def test_a_session_ends_when_the_client_leaves(logs: Any, account: str, sandbox: Sandbox) -> None:
    with tailing(logs, arn(account)):
        assert open_tails(sandbox, account) == 1
    until(lambda: open_tails(sandbox, account) == 0)


def test_a_session_whose_stream_is_cut_is_over(logs: Any, account: str, sandbox: Sandbox) -> None:
    sandbox.admin("POST", "faults", {"match": "logs.StartLiveTail", "account": account, "truncate": 1000})
    with pytest.raises(ProtocolError):
        list(logs.start_live_tail(logGroupIdentifiers=[arn(account)])["responseStream"])
    until(lambda: open_tails(sandbox, account) == 0)


def test_a_group_that_is_not_there_is_refused(logs: Any, account: str) -> None:
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.start_live_tail(logGroupIdentifiers=[arn(account, "missing")])


def test_another_accounts_group_is_refused(logs: Any) -> None:
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.start_live_tail(logGroupIdentifiers=[arn("999999999999")])


@pytest.mark.parametrize("identifier", ["group", "arn:aws:logs:eu-west-1:{account}:log-group:group:*"])
def test_an_identifier_must_be_an_arn_without_an_asterisk(logs: Any, account: str, identifier: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.start_live_tail(logGroupIdentifiers=[identifier.format(account=account)])


def test_stream_names_go_with_one_group_only(logs: Any, account: str) -> None:
    logs.create_log_group(logGroupName="other")
    with pytest.raises(ClientError, match="single log group"):
        logs.start_live_tail(logGroupIdentifiers=[arn(account), arn(account, "other")], logStreamNames=["stream"])
