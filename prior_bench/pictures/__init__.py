"""Small pictures of radiographs with outlines, boxes and heat maps."""
