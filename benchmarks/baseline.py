"""The baseline: an action and six sensors for the same API, as a user configures them without the integration."""

from typing import Final

from custom_components.gosms.api import MessageStatus
from devtools.hass_client import Json
from devtools.simulator_process import SimulatorProcess

ACTION: Final = "rest_command.send_sms"

# All six sensors share one coordinator, which is found through this one.
SENSOR: Final = "sensor.baseline_status"

_STATUSES: Final = str([status.name.lower() for status in MessageStatus])

_TO: Final = (
    "{% set to = value_json.sms_list | selectattr('phone_number', 'eq', 'NUMBER') | first | default %}"
    f"{{{{ {_STATUSES}[to.status] if to else none }}}}"
)

_TEMPLATES: Final = {
    "status": f"{{{{ {_STATUSES}[value_json.sms_list[0].status] }}}}",
    "time": "{{ as_datetime(value_json.sms_list[0].time_create) }}",
    "total": "{{ value_json.pagination.total_records }}",
    "in transit": "{{ value_json.sms_list | selectattr('status', 'lt', 3) | list | count }}",
}


def configuration(simulator: SimulatorProcess, numbers: list[str]) -> Json:
    """Return the part of configuration.yaml; two of the sensors show the last message to these two numbers."""
    headers = {"Authorization": f"Bearer {simulator.token}", "Accept": "application/json"}
    templates = {
        **_TEMPLATES,
        **{f"to {index}": _TO.replace("NUMBER", number) for index, number in enumerate(numbers, start=1)},
    }
    return {
        "rest_command": {
            "send_sms": {
                "url": f"{simulator.url}/sms/send",
                "method": "post",
                "headers": headers,
                "content_type": "application/json",
                "payload": '{"message": {{ message | to_json }}, "phone_number": {{ phone_number | to_json }}}',
            }
        },
        "rest": [
            {
                "resource": f"{simulator.url}/sms",
                "params": {"limit": "100"},
                "headers": headers,
                "scan_interval": 60,
                "sensor": [
                    {
                        "name": f"Baseline {name}",
                        "unique_id": f"baseline_{name.replace(' ', '_')}",
                        "value_template": template,
                        **({"device_class": "timestamp"} if name == "time" else {}),
                    }
                    for name, template in templates.items()
                ],
            }
        ],
    }
