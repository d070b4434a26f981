"""Saved questions: short addresses that stay, for what dashboards ask again and again."""
