"""Text made safe for where it is shown: terminal, spreadsheet, Markdown, HTML, LaTeX.

Names and messages come from data: rows of a suite, columns of a table, records, files. They are stored as
they are, and escaped here when they are shown.
"""
