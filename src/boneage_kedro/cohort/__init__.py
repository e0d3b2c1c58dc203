"""Who was radiographed: sex, label tables, splits."""
