"""Tests of the benchmark: that it measures and judges, not how fast anything is."""
