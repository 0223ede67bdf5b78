"""Edges and decisions to rules to policies."""
