"""Tests of the tools that drive a real Home Assistant."""
