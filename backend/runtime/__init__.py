"""How asynchronous code runs here: tasks, threads, listeners, fan-out of events. The only place with loop tricks."""
