"""Networks, one a file, and where their pretrained weights come from."""
