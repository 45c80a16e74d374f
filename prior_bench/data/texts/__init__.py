"""Reports, sentences and prompts."""
