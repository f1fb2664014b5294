"""Benchmarks of the integration against an equivalent configuration with rest_command and rest."""
