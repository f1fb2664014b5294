"""The plan of an account: how many SMS were sent in the billing month, and how many are left."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

from .billing import billing_month
from .issues import QUOTA_LOW, async_clear, async_raise
from .options import Options
from .outbox import OutgoingMessage
from .runtime_data import UPDATED, GoSmsConfigEntry

# The share of the plan's SMS that must have been sent for the warning.
_WARNING_SHARE: Final = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanUsage:
    """The plan in a billing month.

    Attributes:
        used: SMS that were sent, as far as is known.
        plan: SMS that the plan includes, or 0 if it is not known.
        begins: when the month began.
        renews: the day on which the next one begins.
    """

    used: int
    plan: int
    begins: datetime
    renews: date

    @property
    def left(self) -> int | None:
        """Return how many SMS are left, or None if the plan is not known."""
        return max(0, self.plan - self.used) if self.plan else None


def plan_usage(entry: GoSmsConfigEntry) -> PlanUsage:
    """Return the usage of an account's plan in the present month, by the service's clock if it is known."""
    options, outbox = Options.from_entry(entry), entry.runtime_data.outbox
    today = dt_util.as_local(dt_util.utc_from_timestamp(outbox.unix_now())).date()
    first, renews = billing_month(today, options.billing_day)
    begins = dt_util.start_of_local_day(first)
    used = outbox.segments_since(begins.timestamp())
    return PlanUsage(used=used, plan=options.plan_segments, begins=begins, renews=renews)


@callback
def async_follow_plan(hass: HomeAssistant, entry: GoSmsConfigEntry, listener: Callable[..., None]) -> CALLBACK_TYPE:
    """Call a listener when the usage has changed, and when the plan or the month may have; returns how to stop it.

    The listener is called with different arguments by different causes, and must ignore them.
    """
    outbox = entry.runtime_data.outbox
    counted = outbox.counted_segments

    @callback
    def async_handle_messages(_messages: Collection[OutgoingMessage]) -> None:
        """Call the listener if SMS were counted. Most changes of messages do not change the count."""
        nonlocal counted
        before, counted = counted, outbox.counted_segments
        if counted != before:
            listener()

    unsubscribe = (
        outbox.async_add_message_listener(async_handle_messages),
        async_dispatcher_connect(hass, UPDATED.format(entry.entry_id), listener),
        # A day may begin at one o'clock: daylight saving time skips midnight in some time zones.
        async_track_time_change(hass, listener, minute=0, second=0),
        hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, listener),
    )

    @callback
    def async_unsubscribe() -> None:
        """Stop calling the listener."""
        for each in unsubscribe:
            each()

    return async_unsubscribe


@callback
def async_watch_plan(hass: HomeAssistant, entry: GoSmsConfigEntry) -> CALLBACK_TYPE:
    """Warn once in a month that the plan is nearly used up; returns how to stop it."""

    @callback
    def async_check(*_reason: object) -> None:
        """Raise the issue, or clear it, as in a new month or after the plan was changed."""
        usage = plan_usage(entry)
        if usage.plan and usage.used >= _WARNING_SHARE * usage.plan:
            async_raise(
                hass, entry, QUOTA_LOW, placeholders={"plan": str(usage.plan), "renews": usage.renews.isoformat()}
            )
        else:
            async_clear(hass, entry, QUOTA_LOW)

    async_check()
    return async_follow_plan(hass, entry, async_check)
