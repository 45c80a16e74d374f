"""Features and similarities of frozen backbones, computed once and cached."""
