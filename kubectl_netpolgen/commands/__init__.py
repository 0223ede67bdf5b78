"""One module a verb: options, complete, validate, run."""
