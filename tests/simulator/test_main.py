"""The simulator as a process: it prints its addresses, serves, and stops."""

from collections.abc import Callable, Generator
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any
import urllib.error
from urllib.parse import urlsplit
import urllib.request

import pytest

from simulator.__main__ import main
from tests import ROOT

DEVICE = "0192fd5e-8b8f-7c3a-9d6e-2f4b6c8d0e1f"
# Seconds in which a process responds or ends even on a busy machine.
TIMEOUT = 30
POLL_INTERVAL = 0.05

type Start = Callable[..., Process]


class Process:
    """A running simulator and its addresses."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "simulator", *options]
        # The command is this repository's own, hence S603.
        self.running = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.running.stdout is not None
        self.line = self.running.stdout.readline()
        self.addresses = json.loads(self.line)

    def state(self) -> Any:
        """The state from the controls."""
        # The address is the simulator's own, hence S310.
        with urllib.request.urlopen(f"{self.addresses['control_url']}/state", timeout=TIMEOUT) as response:  # noqa: S310
            return json.loads(response.read())

    def control(self, path: str, body: object) -> None:
        """Send a change to the controls."""
        url = f"{self.addresses['control_url']}{path}"
        # The address is the simulator's own, hence S310.
        urllib.request.urlopen(url, json.dumps(body).encode(), timeout=TIMEOUT).close()  # noqa: S310

    def end(self) -> tuple[int, str]:
        """The exit code and the output, once the process has ended."""
        code = self.running.wait(timeout=TIMEOUT)
        assert self.running.stdout is not None
        assert self.running.stderr is not None
        return code, self.running.stdout.read() + self.running.stderr.read()

    def close(self) -> None:
        """End the process and close its pipes."""
        self.running.kill()
        self.running.wait(timeout=TIMEOUT)
        for pipe in (self.running.stdin, self.running.stdout, self.running.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def start(socket_enabled: None) -> Generator[Start]:
    """Start simulators that end with the test."""
    started: list[Process] = []

    def start_one(*options: str) -> Process:
        started.append(Process(*options))
        return started[-1]

    yield start_one
    for process in started:
        process.close()


def test_the_process_prints_its_address_in_one_line_and_serves(start: Start) -> None:
    process = start("--token", "secret", "--phones", "2", "--device-id", DEVICE, "--history", "3", "--quota", "7")

    state = process.state()

    assert process.line.endswith("}\n")
    assert set(process.addresses) == {"url", "control_url", "token"}
    assert process.addresses["token"] == "secret"
    assert process.addresses["url"].startswith("http://127.0.0.1:")
    assert process.addresses["url"].removesuffix("/v1") == process.addresses["control_url"].removesuffix("/control")
    assert len(state["phones"]) == 3
    assert state["phones"][0]["device_id"] == DEVICE
    assert [message["message"] for message in state["messages"]["list"]] == ["History 1", "History 2", "History 3"]
    assert state["account"]["quota"] == 7
    assert state["account"]["delivery"] == {"steps": [[1, 1], [3, 2], [8, 4]]}


def test_the_process_accepts_only_the_token_that_it_printed(start: Start) -> None:
    process = start("--rate-limit", "0", "--generation", "old", "--speed", "0")
    page = f"{process.addresses['url']}/sms?limit=1"
    # The address is the simulator's own, hence S310.
    request = urllib.request.Request(page, headers={"Authorization": f"Bearer {process.addresses['token']}"})  # noqa: S310

    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        page_json = json.loads(response.read())
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(page, timeout=TIMEOUT)  # noqa: S310

    assert page_json == {"pagination": {"total_records": 0, "limit": 1, "offset": 1}, "sms_list": []}
    account = process.state()["account"]
    assert (account["rate_limit"], account["generation"], account["delivery"]) == (None, "old", None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_cleanly(start: Start, number: signal.Signals) -> None:
    process = start()

    process.running.send_signal(number)

    assert process.end() == (0, "")


def test_a_hanging_request_does_not_block_the_process_from_stopping(start: Start) -> None:
    process = start()
    process.control("/faults", {"fault": "hang_before", "seconds": 600})
    address = urlsplit(process.addresses["url"])
    with socket.create_connection((address.hostname, address.port), TIMEOUT) as connection:
        connection.sendall(b"GET /v1/sms?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        while not process.state()["requests"]["total"]:
            time.sleep(POLL_INTERVAL)

        process.running.send_signal(signal.SIGTERM)

        assert process.end() == (0, "")


def test_the_process_stops_when_its_standard_input_closes(start: Start) -> None:
    process = start("--exit-with-stdin")
    assert process.running.stdin is not None
    process.running.stdin.write("what is written is thrown away\n")
    process.running.stdin.flush()
    process.state()

    process.running.stdin.close()

    assert process.end() == (0, "")


def test_the_process_ignores_a_closed_standard_input_by_default(start: Start) -> None:
    process = start()
    assert process.running.stdin is not None

    process.running.stdin.close()

    assert process.state()["messages"]["total"] == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::1", "example.org"])
def test_only_ipv4_loopback_addresses_are_accepted(capsys: pytest.CaptureFixture[str], host: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--host", host])

    assert end.value.code == 2
    assert "--host" in capsys.readouterr().err


@pytest.mark.usefixtures("socket_enabled")
def test_a_run_ends_immediately_if_its_input_is_already_closed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as closed:
        monkeypatch.setattr(sys, "stdin", closed)

        code = main(["--exit-with-stdin", "--history", "1"])

    assert code == 0
    assert json.loads(capsys.readouterr().out)["url"].startswith("http://127.0.0.1:")
