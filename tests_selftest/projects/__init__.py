"""Projects as people have them, put through the real phases: `make projects`."""
