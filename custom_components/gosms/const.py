"""Names and values that several modules share."""

from typing import Final

DOMAIN: Final = "gosms"

CONF_ADVANCED: Final = "advanced"
CONF_CALLBACK_ID: Final = "callback_id"
CONF_DEFAULT_PHONE: Final = "default_phone"
CONF_DELIVERY_TIMEOUT: Final = "delivery_timeout"
CONF_HOURLY_LIMIT: Final = "hourly_limit"
CONF_LONG_TEXT: Final = "long_text"
CONF_PHONE: Final = "phone"
CONF_PHONE_NUMBER: Final = "phone_number"
CONF_QUEUE_EXPIRY: Final = "queue_expiry"
CONF_REPLACE_SYMBOLS: Final = "replace_symbols"
CONF_SIM: Final = "sim"

# The options that hold until somebody changes them. The times are in minutes; no hourly limit is 0.
DEFAULT_DELIVERY_TIMEOUT: Final = 10
DEFAULT_HOURLY_LIMIT: Final = 100
DEFAULT_LONG_TEXT: Final = "split"
DEFAULT_QUEUE_EXPIRY: Final = 60
DEFAULT_REPLACE_SYMBOLS: Final = True

SUBENTRY_PHONE: Final = "phone"
SUBENTRY_RECIPIENT: Final = "recipient"

# What a phone subentry says of the SIM card, with the vendor's slot. The default sends no slot at all.
SIM_DEFAULT: Final = "default"
SIM_SLOTS: Final = {"sim1": 0, "sim2": 1}

CONTROL_PANEL_URL: Final = "https://cms.gosms.ru"
