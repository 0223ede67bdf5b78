"""Conversations, sockets and the timeline to edges."""
