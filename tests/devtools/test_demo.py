"""The demo, started as a user does: a real Home Assistant in a process of its own."""

import json
from pathlib import Path
import signal

import psutil  # type: ignore[import-untyped]  # Comes with Home Assistant, without types.
import pytest

from .programs import STOP_TIMEOUT, child_processes, read_until, running

# Each starts a Home Assistant, for which a slow machine needs a minute.
pytestmark = pytest.mark.timeout(240)


def test_the_demo_tracks_a_message_until_delivery(tmp_path: Path) -> None:
    with running(tmp_path, "devtools.demo", "--speed", "4") as demo:
        output, _ = demo.communicate()
    assert demo.returncode == 0, output
    assert "sensor.mum_last_message_status: delivered" in output
    assert list(tmp_path.iterdir()) == []


def test_the_demo_reports_why_a_token_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, "simulator", "--token", "right.token", "--exit-with-stdin") as service:
        url = json.loads(read_until(service, "url"))["url"]
        arguments = ["--token", "wrong.token", "--to", "89123456789", "--url", url]
        with running(tmp_path, "devtools.demo", *arguments) as demo:
            output, _ = demo.communicate()
    assert demo.returncode == 1, output
    assert "invalid_auth: " in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["Starting Home Assistant", "notify.send_message to"])
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    with running(tmp_path, "devtools.demo") as demo:
        read_until(demo, moment)
        children = child_processes(demo)
        demo.send_signal(number)
        demo.communicate(timeout=STOP_TIMEOUT)
        _, alive = psutil.wait_procs(children, timeout=0)
    assert demo.returncode == 130
    assert children
    assert alive == []
    assert list(tmp_path.iterdir()) == []


def test_killing_the_demo_ends_its_child_processes(tmp_path: Path) -> None:
    with running(tmp_path, "devtools.demo") as demo:
        read_until(demo, "Home Assistant runs")
        children = child_processes(demo)
        demo.kill()
        _, alive = psutil.wait_procs(children, timeout=STOP_TIMEOUT)
    assert len(children) == 2
    assert alive == []


def test_the_serving_demo_supports_russian_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "devtools.demo", "--serve", "--language", "ru", "--speed", "8") as demo:
        read_until(demo, "sensor.mama_last_message_status: delivered")
        read_until(demo, "Dashboard:")
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=STOP_TIMEOUT)
    assert demo.returncode == 130
    assert list(tmp_path.iterdir()) == []
