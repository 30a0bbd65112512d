"""How answers are written down: text that can't steer a terminal, amounts in units, tables and CSV.

    text.py          what may be shown of a stranger's text; amounts in yuan, GPU-time in GPU-hours
    tables.py        a table that fits the width, or else one record under another; a number never breaks
    csv_bytes.py     the one writer of CSV

Pure functions: they return text or bytes, and know nothing of streams.
"""
