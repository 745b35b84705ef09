"""The server's side of the admin API: `app.build` makes the aiohttp application from `backend.api.routes`.

Handlers parse, call one service, reply. `access` decides who may call; `feed` turns events into the stream of the faces.
"""
