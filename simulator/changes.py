"""What the controls can change, from JSON in which a slip is told instead of passed over."""

from collections.abc import Callable
from typing import Final

from .account import Account
from .faults import Fault, Faults
from .models import NEW, OLD, Delivery, Permission, Phone, Sim

FLAGS: Final = ("api_active", "api_deleted", "blocked", "explains_unauthorized")
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


class _Options:
    """A JSON object that is read field by field, so that a slip in a name or a type is told."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise TypeError(f"{value!r} is not an object")
        self._left: dict[str, object] = dict(value)

    def need[T](self, name: str, kind: type[T]) -> T:
        """A field that must be there."""
        if name not in self._left:
            raise ValueError(f"{name} is missing")
        return _typed(name, self._left.pop(name), kind)

    def take[T, D](self, name: str, kind: type[T], default: D) -> T | D:
        """A field that may be left out, or null."""
        value = self._left.pop(name, None)
        return default if value is None else _typed(name, value, kind)

    def close(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise ValueError(f"unknown: {sorted(self._left)}")


class _AdvancedClock:
    """A clock that was put forward, by so many seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.ahead = 0.0
        self._clock = clock

    def __call__(self) -> float:
        return self._clock() + self.ahead


def add_faults(faults: Faults, wanted: object) -> None:
    """Switch on one fault, or each of a list."""
    for entry in wanted if isinstance(wanted, list) else [wanted]:
        options = _Options(entry)
        fault = Fault(options.need("fault", str))
        endpoint = options.take("endpoint", str, None)
        times = options.take("times", int, None)
        share = options.take("share", float, 1.0)
        seconds = options.take("seconds", float, None)
        code = options.take("code", int, 1000)
        status = options.take("status", int, None)
        retry_after = options.take("retry_after", int, None)
        accepted = options.take("accepted", bool, None)
        options.close()
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


def change_account(account: Account, wanted: object) -> None:
    """Make the changes of one JSON object, in its order."""
    if not isinstance(wanted, dict):
        raise TypeError(f"{wanted!r} is not an object")
    if unknown := set(wanted) - set(_CHANGES):
        raise ValueError(f"unknown: {sorted(unknown)}")
    for name, value in wanted.items():
        _CHANGES[name](account, value)


def _typed[T](name: str, value: object, kind: type[T]) -> T:
    # A boolean is a number to Python, and a whole number is a real one to people.
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
    options = _Options(value)
    steps = options.take("steps", list, None)
    status = options.take("status", int, 4)
    speed = options.take("speed", float, 1.0)
    options.close()
    usual = Delivery.ending(status, speed=speed)
    account.delivery = usual if steps is None else Delivery(steps=tuple((float(at), int(to)) for at, to in steps))


def _set_status(account: Account, value: object) -> None:
    for entry in value if isinstance(value, list) else [value]:
        options = _Options(entry)
        message_id, status = options.need("id", str), options.need("status", int)
        options.close()
        account.set_status(message_id, status)


def _add_phone(account: Account, value: object) -> None:
    options = _Options(value)
    phone = account.add_phone(options.take("device_id", str, None))
    _change_fields(account, phone, options)


def _change_phone(account: Account, value: object) -> None:
    options = _Options(value)
    phone = account.phones[options.need("device_id", str)]
    _change_fields(account, phone, options)


def _remove_phone(account: Account, value: object) -> None:
    del account.phones[_typed("remove_phone", value, str)]


def _advance(account: Account, value: object) -> None:
    clock = account.clock if isinstance(account.clock, _AdvancedClock) else _AdvancedClock(account.clock)
    clock.ahead += _typed("advance", value, float)
    account.clock = clock


def _change_fields(account: Account, phone: Phone, options: _Options) -> None:
    for name, kind in _PHONE_FIELDS.items():
        setattr(phone, name, options.take(name, kind, getattr(phone, name)))
    online = options.take("online", bool, None)
    if online is not None:
        phone.set_online(online=online, now=account.clock())
    # Seconds since its last report: a phone that has been out of touch for long, without the wait.
    silent = options.take("silent", float, None)
    if silent is not None:
        phone.held_last_online = account.clock() - silent
    names = options.take("sims", list, None)
    if names is not None:
        phone.sims = tuple(
            Sim(slot_index=slot, display_name=_typed("sims", name, str)) for slot, name in enumerate(names)
        )
    options.close()


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
