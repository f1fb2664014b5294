# Since 2026.9 Home Assistant imports probatio as `voluptuous`; this stub does the same for mypy.
from probatio import *
