"""The engine for large captures: columns of numpy instead of a loop over packets, with the same results."""
