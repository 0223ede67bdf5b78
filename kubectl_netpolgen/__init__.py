"""Watch the real traffic of a namespace and write the NetworkPolicies that allow exactly that."""
