"""Reports, measures, the audit log, and what of all this may be shown to whom."""
