"""Enhanced pictures: quality, and faithfulness to the original."""
