"""Stands in for a package that has to be compiled: see pymicro_vad beside it."""


class AudioProcessor:
    """Takes noise out of sound, which nobody sends to a house of the workshop."""
