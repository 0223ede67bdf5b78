"""The words of the field as frozen dataclasses and enums; the standard library only."""
