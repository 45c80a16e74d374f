"""Schemas of the tasks' protocols, one file a task; each is the ``protocol_model`` of its task."""
