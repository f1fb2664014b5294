"""The figures of the integration, side by side with what a user would otherwise configure by hand."""
