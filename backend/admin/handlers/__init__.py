"""One module a topic: parse, one service call, reply. `table.all_handlers` names them for the routes."""
