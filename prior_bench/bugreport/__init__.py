"""A report of a fault that may be sent to others: versions, config, log and traceback, without data."""
