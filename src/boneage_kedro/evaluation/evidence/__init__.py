"""What the runs of an environment have shown, beside what the papers print."""
