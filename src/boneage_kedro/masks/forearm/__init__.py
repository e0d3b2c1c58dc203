"""The distal ends of radius and ulna: their block, and radiographs cut to it."""
