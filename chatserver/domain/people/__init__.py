"""Members and staff: names, come-back codes, roles, and who is hidden from whom."""
