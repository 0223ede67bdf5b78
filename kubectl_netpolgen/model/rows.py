"""The kinds of rows that a capture is told in."""

from __future__ import annotations

from enum import Enum

from kubectl_netpolgen.model.flow import Conversation, Direction, Flow, NameAnswer

API_VERSION = "netpolgen/v1"

Row = Conversation | Flow | NameAnswer


class RowKind(str, Enum):
    """What one row is about; the value is the `kind` of a whole list of them."""

    FLOWS = "FlowList"
    """Client, server, protocol and server port of one file."""
    CONVERSATIONS = "ConversationList"
    """A 5-tuple of one file."""
    NAMES = "NameList"
    """A name, and an address that it stood for in one file."""

    @property
    def plural(self) -> str:
        """How a sentence calls such rows."""
        return {"FlowList": "flows", "ConversationList": "conversations", "NameList": "names"}[self.value]


def direction_word(direction: Direction) -> str:
    """How rows name a direction: an end that was seen to listen is proven, however that was seen."""
    return "proven" if direction is Direction.LISTEN else direction.value
