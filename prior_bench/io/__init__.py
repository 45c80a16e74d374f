"""Write files completely or not at all, and lock folders between processes."""
