"""Tables and pages from stored records; this package never imports torch."""
