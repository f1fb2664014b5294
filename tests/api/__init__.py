"""Tests of the client alone, over a real local socket, in real time, without Home Assistant."""
