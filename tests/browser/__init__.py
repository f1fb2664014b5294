"""The integration as a user sees it: a real Home Assistant in a real browser."""
