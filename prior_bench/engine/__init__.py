"""From a suite config to stored records: plan, execute, store."""
