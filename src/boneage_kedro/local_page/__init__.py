"""What all pages for people share: served on this machine alone, offline, with one look."""
