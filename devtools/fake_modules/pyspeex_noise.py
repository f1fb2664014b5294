"""Replaces a package that has to be compiled: see pymicro_vad."""


class AudioProcessor:
    """Would suppress noise in audio, which these tools never send."""
