"""Schemas of the tasks' protocols, one file per task; each is the ``protocol_model`` of its task."""
