"""What the window says and when: plain Python without a widget in it, so that every sentence is tested."""
