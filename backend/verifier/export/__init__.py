"""The files of an export (docs/export-format.md), read row by row."""
