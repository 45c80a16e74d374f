"""Writers of the sample data sets, one per public layout."""
