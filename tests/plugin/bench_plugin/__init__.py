"""A task with a metric of its own, a method, a data set and a protocol, found through entry points."""
