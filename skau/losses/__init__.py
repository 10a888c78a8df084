"""Losses as pure functions that return a scalar tensor; the caller names it."""
