"""The shop's services by name: the web front first, whom browsers meet, and behind it those it asks."""

NAMES = ("web", "product", "image", "identity", "photo", "comment", "moderation", "voting", "checkout", "flags")
