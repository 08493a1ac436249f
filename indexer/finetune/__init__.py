"""Fine-tuning the video encoder on shots and what is said of them: pairs in, a profile out."""
