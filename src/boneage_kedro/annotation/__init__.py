"""A page in the browser on which a person corrects the masks of a queue; it works without Kedro and offline."""
