"""HTTP for strangers: uvicorn with bounds on connections, heads, bodies and time, shared by all that listens here.

It knows neither vouchers nor logs; what is answered is an ASGI application's to say.
"""
