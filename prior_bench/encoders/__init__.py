"""Image and text encoders shared by all methods, and the parts they are made of."""
