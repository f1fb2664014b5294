# From 2026.9 on Home Assistant answers `import voluptuous` with probatio; mypy, which does not run it, is told here.
from probatio import *
