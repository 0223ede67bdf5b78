"""Captures of any size with their truth, and the measurements made on them; no part of the product."""
