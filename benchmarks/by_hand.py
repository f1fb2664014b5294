"""What a user configures by hand for the same API: an action that sends, and six sensors from the newest messages."""

from typing import Final

from workshop.home_assistant import Json
from workshop.service import Service

ACTION: Final = "rest_command.send_sms"

# The one whose coordinator is polled; all six hang on it.
SENSOR: Final = "sensor.by_hand_status"

_STATUSES: Final = "['waiting', 'processing', 'sent', 'send_failed', 'delivered', 'delivery_failed']"

_TO: Final = (
    "{% set to = value_json.sms_list | selectattr('phone_number', 'eq', 'NUMBER') | first | default %}"
    f"{{{{ {_STATUSES}[to.status] if to else none }}}}"
)

_TEMPLATES: Final = {
    "status": f"{{{{ {_STATUSES}[value_json.sms_list[0].status] }}}}",
    "time": "{{ as_datetime(value_json.sms_list[0].time_create) }}",
    "total": "{{ value_json.pagination.total_records }}",
    "under way": "{{ value_json.sms_list | selectattr('status', 'lt', 3) | list | count }}",
}


def configuration(service: Service, numbers: list[str]) -> Json:
    """Return the part of configuration.yaml; two of the sensors are of these two numbers."""
    headers = {"Authorization": f"Bearer {service.token}", "Accept": "application/json"}
    templates = {
        **_TEMPLATES,
        **{f"to {place}": _TO.replace("NUMBER", number) for place, number in enumerate(numbers, start=1)},
    }
    return {
        "rest_command": {
            "send_sms": {
                "url": f"{service.url}/sms/send",
                "method": "post",
                "headers": headers,
                "content_type": "application/json",
                "payload": '{"message": {{ message | to_json }}, "phone_number": {{ phone_number | to_json }}}',
            }
        },
        "rest": [
            {
                "resource": f"{service.url}/sms",
                "params": {"limit": "100"},
                "headers": headers,
                "scan_interval": 60,
                "sensor": [
                    {
                        "name": f"By hand {name}",
                        "unique_id": f"by_hand_{name.replace(' ', '_')}",
                        "value_template": template,
                        **({"device_class": "timestamp"} if name == "time" else {}),
                    }
                    for name, template in templates.items()
                ],
            }
        ],
    }
