"""One module per file format: what each needs checked before and after its decoder runs."""
