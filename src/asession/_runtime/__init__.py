"""The event-loop door: the only room that names asyncio, trio or aiofiles."""
