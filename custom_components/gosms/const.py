"""Names and values that several modules share."""

from typing import Final

DOMAIN: Final = "gosms"

CONF_ADVANCED: Final = "advanced"
CONF_PHONE: Final = "phone"
CONF_PHONE_NUMBER: Final = "phone_number"
CONF_SIM: Final = "sim"

# Seconds between two polls of the account's messages. While a message is under way the outbox polls more often.
POLL_INTERVAL: Final = 60

SUBENTRY_PHONE: Final = "phone"
SUBENTRY_RECIPIENT: Final = "recipient"

# What a phone subentry says of the SIM card, with the vendor's slot. The default sends no slot at all.
SIM_DEFAULT: Final = "default"
SIM_SLOTS: Final = {"sim1": 0, "sim2": 1}

CONTROL_PANEL_URL: Final = "https://cms.gosms.ru"
