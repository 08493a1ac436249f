"""What the four feeds are called where people read."""

FEED_TITLES = {
    "likely": "Most likely",
    "borderline": "Undecided",
    "unlikely": "Least likely",
    "chance": "By chance",
}
