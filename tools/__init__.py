"""Generators: files in this repository that are made by code."""
