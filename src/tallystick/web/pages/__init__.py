"""The explorer: pages for people, over what `seen.py` shows to their reader.

    page.py         what a page is: a title, values, tables; how one is registered
    addresses.py    where each thing's page is
    rendering.py    templates, in each language
    frame.py        what stands around every page: as of when, who reads, language, theme
    answering.py    a request for a page: as of when, what is seen, HTML or a table's CSV
    compressing.py  gzip, where it is taken
    every_page.py   the pages, in a list
    …_pages.py      the pages, by what they are about

A page imports no ledger, no views and nothing that writes (an import contract).
"""
