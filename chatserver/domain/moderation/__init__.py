"""Reports, measures and the audit log, and who may see what of them."""
