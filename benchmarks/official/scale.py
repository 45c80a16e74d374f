"""The scale at which both sides run, so that a comparison takes minutes on a CPU."""

CROP = 32
"""Side of the images that the network is fed, in pixels; 224 in the papers."""
RESIZED = 37
"""Side before the crop; 256 in the papers."""
ENLARGED = 43
"""Side to which GLoRIA's and MGCA's image encoders enlarge the crop; 299 in their code."""
