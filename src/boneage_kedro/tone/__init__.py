"""A page on which a person sets brightness, contrast and sharpness of hands and saves the pairs."""
