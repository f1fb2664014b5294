"""The chaos test: a real Home Assistant that is killed while it sends, and what must hold in spite of it."""
