"""Replaces a package that has to be compiled, so that the interface works without a compiler.

Home Assistant's `get_services`, without which the interface stays at "Loading…", imports the voice integration, which
imports this module. An installed pymicro-vad takes precedence.
"""


class MicroVad:
    """Would detect speech in audio, which these tools never send."""
