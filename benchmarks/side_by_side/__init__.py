"""What `peers.py` runs side by side: the same networks, trained by their authors' loops and by ours."""
