"""Risky schema edits on a real Directus: what the plan says of each, what a bare apply does, what ours does."""
