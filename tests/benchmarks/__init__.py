"""Tests of the benchmark itself; they measure no speed."""
