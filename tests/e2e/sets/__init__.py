"""Random sets of policies over twelve pods: what the evaluator says beside what the pods experience."""
