"""What several verbs share: record, derive, prove, publish."""
