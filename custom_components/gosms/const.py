"""Names and values that several modules share."""

from typing import Final

DOMAIN: Final = "gosms"

CONF_ADVANCED: Final = "advanced"
CONF_CALLBACK_ID: Final = "callback_id"
CONF_DEFAULT_PHONE: Final = "default_phone"
CONF_PHONE: Final = "phone"
CONF_PHONE_NUMBER: Final = "phone_number"
CONF_SIM: Final = "sim"

SUBENTRY_PHONE: Final = "phone"
SUBENTRY_RECIPIENT: Final = "recipient"

# What a phone subentry says of the SIM card, with the vendor's slot. The default sends no slot at all.
SIM_DEFAULT: Final = "default"
SIM_SLOTS: Final = {"sim1": 0, "sim2": 1}

CONTROL_PANEL_URL: Final = "https://cms.gosms.ru"
