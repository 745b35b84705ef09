"""What the HTTP ports answer to anyone: a plain page and the settings that mail programs look up by themselves."""
