"""Constants that several modules share."""

from typing import Final

DOMAIN: Final = "gosms"

CONF_ADVANCED: Final = "advanced"
CONF_PHONE: Final = "phone"
CONF_PHONE_NUMBER: Final = "phone_number"
CONF_SIM: Final = "sim"

# Seconds between two polls of the account's messages. While a message is in transit, the outbox polls more often.
POLL_INTERVAL: Final = 60

SUBENTRY_PHONE: Final = "phone"
SUBENTRY_RECIPIENT: Final = "recipient"

# The SIM card in the data of a phone subentry, and the vendor's number of its slot. The default sends no slot at all.
SIM_DEFAULT: Final = "default"
SIM_SLOTS: Final = {"sim1": 0, "sim2": 1}

CONTROL_PANEL_URL: Final = "https://cms.gosms.ru"
