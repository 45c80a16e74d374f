"""From stored records to tables and pages; never imports torch."""
