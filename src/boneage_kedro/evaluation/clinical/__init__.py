"""What a bone age means for a child, in numbers, words and on a page."""
