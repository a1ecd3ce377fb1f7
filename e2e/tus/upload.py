"""Uploads a file as tuspy does, each piece with its checksum, and prints the upload's address.

upload.py ENDPOINT TOKEN FILE '{"metadata": {…}, "chunk_bytes": N, "url": "…", "stop_at": N}'
"""

import json
import sys

from tusclient.client import TusClient

endpoint, token, file, settings = sys.argv[1:]
settings = json.loads(settings)
client = TusClient(endpoint, headers={"Authorization": f"Bearer {token}"})
uploader = client.uploader(
    file,
    url=settings.get("url"),
    metadata=settings["metadata"],
    chunk_size=settings.get("chunk_bytes", sys.maxsize),
    # A dead writer keeps others out for ten seconds; a function that was killed comes back within some.
    retries=30,
    retry_delay=1,
    upload_checksum=True,
)
uploader.upload(stop_at=settings.get("stop_at"))
print(uploader.url)
