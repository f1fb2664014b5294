"""Development tools that drive a real Home Assistant; never shipped."""
