"""Which requests a fault applies to, how often, and how it is counted."""

import asyncio

import pytest

from simulator import ENDPOINTS, Fault, Faults

from .conftest import Api

SEND = "POST /sms/send"
PAGE = "GET /sms?limit=10"
HELLO = {"message": "Hello", "phone_number": "79929999999"}


pytestmark = pytest.mark.usefixtures("no_service_rate_limit")


async def test_a_fault_affects_only_its_endpoint(api: Api, faults: Faults) -> None:
    faults.add(Fault.UNKNOWN_ERROR, endpoint=SEND)

    sent, listed = await api.call(SEND, HELLO), await api.call(PAGE)

    assert (sent.status, listed.status) == (500, 200)


async def test_a_fault_ends_after_its_times_or_when_cleared(api: Api, faults: Faults) -> None:
    faults.add(Fault.BAD_GATEWAY, times=2)
    faults.add(Fault.UNKNOWN_ERROR)
    before = [(await api.call(PAGE)).status for _ in range(3)]
    left = [rule.fault for rule in faults.active]
    faults.clear()

    after = (await api.call(PAGE)).status

    assert (before, after) == ([502, 502, 500], 200)
    assert left == [Fault.UNKNOWN_ERROR]
    assert faults.injected == {Fault.BAD_GATEWAY: 2, Fault.UNKNOWN_ERROR: 1}


async def test_a_fault_does_not_affect_an_unknown_path(api: Api, faults: Faults) -> None:
    faults.add(Fault.BAD_GATEWAY)

    assert (await api.call("GET /nothing")).status == 404
    assert faults.injected.total() == 0


def test_a_share_of_requests_fails_reproducibly() -> None:
    runs = [_struck(Faults(seed), others=0) for seed in (3, 3, 4)]

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert 250 < len(runs[0]) < 350


def test_another_rule_does_not_change_which_requests_fail() -> None:
    assert _struck(Faults(3), others=0) == _struck(Faults(3), others=1)


def _struck(faults: Faults, others: int) -> list[int]:
    faults.add(Fault.CUT_AFTER, endpoint=SEND, share=0.3)
    for _ in range(others):
        faults.add(Fault.SLOW, endpoint=SEND, share=0.3)
    picked = [faults.pick(SEND) for _ in range(1000)]
    return [number for number, rule in enumerate(picked) if rule is not None and rule.fault is Fault.CUT_AFTER]


@pytest.mark.parametrize(("endpoint", "share"), [("POST /v1/sms/send", 1.0), (SEND, 1.5), (SEND, -0.1)])
def test_an_invalid_rule_is_rejected(faults: Faults, endpoint: str, share: float) -> None:
    with pytest.raises(ValueError, match=r"no endpoint|share must be"):
        faults.add(Fault.SLOW, endpoint=endpoint, share=share)


async def test_every_fault_can_be_injected_at_every_endpoint(api: Api, faults: Faults) -> None:
    for fault in Fault:
        faults.add(fault, times=len(ENDPOINTS), seconds=0.0)

    for _ in Fault:
        await asyncio.gather(*(api.call(endpoint, HELLO) for endpoint in ENDPOINTS), return_exceptions=True)

    assert faults.injected == dict.fromkeys(Fault, len(ENDPOINTS))
    assert (await api.call(PAGE)).status == 200
