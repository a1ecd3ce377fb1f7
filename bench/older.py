"""The older system's way, in its own words: the whole video to a temporary file, MoviePy, the whole MP3 back.

    older.py STORE VIDEO_ID MP3_ID

Says `ready` when all is imported, as its worker was; waits for a line; says how many bytes of the video it has read.
"""

import os
import shutil
import sys
import tempfile

import moviepy.editor

store, video_id, mp3_id = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()

with tempfile.NamedTemporaryFile() as file:
    with open(f"{store}/videos/{video_id}", "rb") as video:
        shutil.copyfileobj(video, file, 255 * 1024)
    file.flush()
    read_bytes = file.tell()
    clip = moviepy.editor.VideoFileClip(file.name)
    audio = clip.audio

mp3_path = tempfile.gettempdir() + f"/{mp3_id}.mp3"
audio.write_audiofile(mp3_path, verbose=False, logger=None)
clip.close()
audio.close()
with open(mp3_path, "rb") as mp3, open(f"{store}/mp3s/{mp3_id}", "wb") as stored:
    stored.write(mp3.read())
    stored.flush()
    os.fsync(stored.fileno())
os.remove(mp3_path)
print(read_bytes, mp3_id, flush=True)
