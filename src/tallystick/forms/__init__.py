"""Every command as a form: its fields with their bounds, read as people write them, and said in plain words.

Forms are made from the rulebook's models; nothing here is kept for one command only.
"""
