"""A second application over two namespaces: kinds of workloads, Services and events that the shop has not."""
