"""A real Kubernetes of several nodes on one Linux machine, for the end-to-end tests.

Every node lives in a network namespace of its own; one more namespace plays the Internet, so that
the tests need no container engine, no virtual machine and no traffic beyond this machine.
"""
