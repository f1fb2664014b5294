"""Tests of the way out for every message."""
