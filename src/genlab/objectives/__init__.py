"""What is minimised: one small class per idea. An objective yields one `Update` per optimizer in turn."""
