"""Applies the JSON of the controls, and reports mistakes in it instead of ignoring them."""

from collections.abc import Callable
from typing import Final

from .account import Account
from .faults import Fault, Faults
from .models import NEW, OLD, Delivery, Permission, Phone, Sim

FLAGS: Final = ("api_active", "api_deleted", "blocked", "unauthorized_has_body")
NUMBERS: Final = ("quota", "rate_limit", "retry_after")
_GENERATIONS: Final = {"old": OLD, "new": NEW}
_PHONE_FIELDS: Final[dict[str, type]] = {
    "name": str,
    "name_type": str,
    "battery": int,
    "is_active": bool,
    "is_charging": bool,
    "low_battery_alert": bool,
    "to_sim": int,
}


class _Fields:
    """A JSON object that is read field by field, so that a wrong name or type raises an error."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is not an object")
        self._remaining: dict[str, object] = dict(value)

    def required[T](self, name: str, kind: type[T]) -> T:
        """Return a required field."""
        if name not in self._remaining:
            raise ValueError(f"{name} is missing")
        return _typed(name, self._remaining.pop(name), kind)

    def optional[T, D](self, name: str, kind: type[T], default: D) -> T | D:
        """Return a field that may be missing or null."""
        value = self._remaining.pop(name, None)
        return default if value is None else _typed(name, value, kind)

    def reject_unknown(self) -> None:
        """Raise an error if there are other fields."""
        if self._remaining:
            raise ValueError(f"unknown: {sorted(self._remaining)}")


class _AdvancedClock:
    """A clock that is ahead by so many seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.ahead = 0.0
        self._clock = clock

    def __call__(self) -> float:
        return self._clock() + self.ahead


def add_faults(faults: Faults, value: object) -> None:
    """Add one fault, or each of a list."""
    for entry in value if isinstance(value, list) else [value]:
        options = _Fields(entry)
        fault = Fault(options.required("fault", str))
        endpoint = options.optional("endpoint", str, None)
        times = options.optional("times", int, None)
        share = options.optional("share", float, 1.0)
        seconds = options.optional("seconds", float, None)
        code = options.optional("code", int, 1000)
        status = options.optional("status", int, None)
        retry_after = options.optional("retry_after", int, None)
        accepted = options.optional("accepted", bool, None)
        options.reject_unknown()
        faults.add(
            fault,
            endpoint=endpoint,
            times=times,
            share=share,
            seconds=seconds,
            code=code,
            status=status,
            retry_after=retry_after,
            accepted=accepted,
        )


def change_account(account: Account, changes: object) -> None:
    """Apply the changes of a JSON object, in its order."""
    if not isinstance(changes, dict):
        raise TypeError(f"{changes!r} is not an object")
    if unknown := set(changes) - set(_CHANGES):
        raise ValueError(f"unknown: {sorted(unknown)}")
    for name, value in changes.items():
        _CHANGES[name](account, value)


def _typed[T](name: str, value: object, kind: type[T]) -> T:
    # In Python a boolean is an integer; in JSON an integer is a valid float.
    found = float(value) if kind is float and type(value) is int else value
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise TypeError(f"{name} cannot be {value!r}")
    return found


def _set_flag(name: str) -> Callable[[Account, object], None]:
    return lambda account, value: setattr(account, name, _typed(name, value, bool))


def _set_number(name: str) -> Callable[[Account, object], None]:
    return lambda account, value: setattr(account, name, None if value is None else _typed(name, value, int))


def _set_permissions(account: Account, value: object) -> None:
    account.permissions = {Permission(name) for name in _typed("permissions", value, list)}


def _set_generation(account: Account, value: object) -> None:
    account.generation = _GENERATIONS[_typed("generation", value, str)]


def _set_delivery(account: Account, value: object) -> None:
    if value is None:
        account.delivery = None
        return
    options = _Fields(value)
    steps = options.optional("steps", list, None)
    status = options.optional("status", int, 4)
    speed = options.optional("speed", float, 1.0)
    options.reject_unknown()
    usual = Delivery.ending(status, speed=speed)
    account.delivery = usual if steps is None else Delivery(steps=tuple((float(at), int(to)) for at, to in steps))


def _set_status(account: Account, value: object) -> None:
    for entry in value if isinstance(value, list) else [value]:
        options = _Fields(entry)
        message_id, status = options.required("id", str), options.required("status", int)
        options.reject_unknown()
        account.set_status(message_id, status)


def _add_phone(account: Account, value: object) -> None:
    options = _Fields(value)
    phone = account.add_phone(options.optional("device_id", str, None))
    _change_fields(account, phone, options)


def _change_phone(account: Account, value: object) -> None:
    options = _Fields(value)
    phone = account.phones[options.required("device_id", str)]
    _change_fields(account, phone, options)


def _remove_phone(account: Account, value: object) -> None:
    del account.phones[_typed("remove_phone", value, str)]


def _advance(account: Account, value: object) -> None:
    clock = account.clock if isinstance(account.clock, _AdvancedClock) else _AdvancedClock(account.clock)
    clock.ahead += _typed("advance", value, float)
    account.clock = clock


def _change_fields(account: Account, phone: Phone, options: _Fields) -> None:
    for name, kind in _PHONE_FIELDS.items():
        setattr(phone, name, options.optional(name, kind, getattr(phone, name)))
    online = options.optional("online", bool, None)
    if online is not None:
        phone.set_online(online=online, now=account.clock())
    # Seconds since its last report, for a phone that has been offline for a long time.
    silent = options.optional("silent", float, None)
    if silent is not None:
        phone.frozen_last_online = account.clock() - silent
    names = options.optional("sims", list, None)
    if names is not None:
        phone.sims = tuple(
            Sim(slot_index=slot, display_name=_typed("sims", name, str)) for slot, name in enumerate(names)
        )
    options.reject_unknown()


_CHANGES: Final[dict[str, Callable[[Account, object], None]]] = {
    **{name: _set_flag(name) for name in FLAGS},
    **{name: _set_number(name) for name in NUMBERS},
    "advance": _advance,
    "permissions": _set_permissions,
    "generation": _set_generation,
    "delivery": _set_delivery,
    "set_status": _set_status,
    "add_phone": _add_phone,
    "phone": _change_phone,
    "remove_phone": _remove_phone,
}
