"""Measurements against peers: one process for each contestant, interleaved, medians."""
