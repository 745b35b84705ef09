"""The contract: what any client (window, browser, command line) may know of the server. A leaf; imports nothing of ours."""
