"""The sample application of the real-cluster tests: Online Boutique's shape, with servers that answer."""
