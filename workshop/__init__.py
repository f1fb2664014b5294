"""Tools of the developers that drive a real Home Assistant; never shipped."""
