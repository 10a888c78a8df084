"""Corpora, all as the same Bunch, and a generator of rendered faces."""
