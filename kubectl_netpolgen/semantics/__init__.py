"""What NetworkPolicies mean: no traffic, no cluster."""
