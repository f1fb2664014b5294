"""Tests of the simulator against the vendor's documents."""
