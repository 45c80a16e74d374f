"""Cards of public models: facts, access, what they were trained on, and the row that loads them."""
