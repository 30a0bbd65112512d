"""The explorer's pages: what a reader sees of the log, in English and Chinese."""
