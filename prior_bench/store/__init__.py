"""The store of records: storage, exchange and provenance."""
