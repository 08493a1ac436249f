"""What is said and when: subtitles beside a film, inside it, and captions in its pictures."""
