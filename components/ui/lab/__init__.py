"""The panels of the lab page, one per tab, and what they share."""
