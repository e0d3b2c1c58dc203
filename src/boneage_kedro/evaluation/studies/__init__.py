"""Studies: arms over seeds or folds, held against each other."""
