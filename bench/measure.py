"""Measures the three ways from the store to the store; bench/run calls it.

Each way is a process that says `ready`, waits for a line, does its work, and says how many bytes of the video it has read
and the MP3's id. Measured is what happens in between: no program's start, no import.

- wall: from the line to the answer.
- CPU: user and system time of the process and of all that it has started and waited for.
- peak: every 50 ms each process counts with the most resident memory that it had since the last look (VmHWM, which is
  then reset); the peak is the largest sum. So nothing is missed, and what two processes had minutes apart isn't added up.
- bytes read: of the stored video. Ours counts them where the store gives them; the others read all of it.
"""

import argparse
import datetime
import os
import pathlib
import platform
import secrets
import shutil
import statistics
import subprocess
import sys
import threading
import time

MOST_WALL_OF_FFMPEG = 0.56
MOST_WALL_OF_OLDER = 0.4
MOST_CPU_OF_FFMPEG = 1.05
MOST_PEAK_MB = 64
# The film's peak and that of two hours are the same if they differ by less than this part.
SAME_PEAK = 0.1
LEAST_COPY_SPEED_UP = 30

TICKS = os.sysconf("SC_CLK_TCK")
WAYS = ["decant", "ffmpeg", "older"]

# The index of this one comes last: it can't be read through a pipe.
NEEDS_A_FILE = {"large"}

FFMPEG = """
set -eo pipefail
echo ready
read -r _
to_mp3() { ffmpeg -v error -nostdin -y -i "$1" -vn -map 0:a:0 -c:a libmp3lame -q:a 2 "$TMPDIR/$mp3.mp3"; }
if [ -n "$needs_a_file" ]; then
  cp "$store/videos/$video" "$TMPDIR/video"
  to_mp3 "$TMPDIR/video"
  rm "$TMPDIR/video"
else
  cat "$store/videos/$video" | to_mp3 pipe:0
fi
cp "$TMPDIR/$mp3.mp3" "$store/mp3s/$mp3"
sync "$store/mp3s/$mp3"
rm "$TMPDIR/$mp3.mp3"
echo "$(stat -c %s "$store/videos/$video") $mp3"
"""


def main():
    options = arguments()
    store = pathlib.Path(options.work) / "store"
    for folder in [store / "videos", store / "mp3s"]:
        folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    runs = {}
    for film in options.films:
        [source] = (pathlib.Path(options.work) / "films").glob(f"{film}.*")
        sizes[film] = source.stat().st_size
        stored = store / "videos" / new_id()
        source.rename(stored)
        ways = [way for way in WAYS if film != "mp3" or way != "older"]
        for run in range(options.runs + 1):
            for way in ways:
                figures = measure(command(way, film, store, stored, options))
                if run > 0:  # the first to warm them
                    runs.setdefault((film, way), []).append(figures)
                say(f"{film} {way}: {figures['wall']:.2f} s")
        stored.unlink()
    medians = {
        key: {name: statistics.median(each[name] for each in of) for name in of[0]}
        for key, of in runs.items()
    }
    verdicts = judge(medians)
    text = table(medians, sizes) + "\n" + "".join(f"- {line}\n" for line, _ in verdicts)
    print(text)
    if options.results:
        pathlib.Path(options.results).write_text(page(text, options))
    sys.exit(0 if all(met for _, met in verdicts) else 1)


def arguments():
    parser = argparse.ArgumentParser()
    for name in ["work", "decoder", "ours", "older", "native"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--results")
    parser.add_argument("films", nargs="+")
    return parser.parse_args()


def new_id():
    return secrets.token_hex(12)


def command(way, film, store, stored, options):
    """Arguments and environment of one way to convert one stored video."""
    environment = dict(os.environ)
    if way == "decant":
        # A job of its own each time: the same bytes under another name.
        video = new_id()
        os.link(stored, store / "videos" / video)
        return [options.ours, options.decoder, str(store), video], environment
    if way == "older":
        older = os.path.join(os.path.dirname(__file__), "older.py")
        return [options.older, older, str(store), stored.name, new_id()], environment
    environment.update(store=str(store), video=stored.name, mp3=new_id())
    environment.update(needs_a_file="yes" if film in NEEDS_A_FILE else "")
    return ["bash", "-c", FFMPEG], environment


def measure(way):
    arguments, environment = way
    process = subprocess.Popen(
        arguments, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if process.stdout.readline() != "ready\n":
        sys.exit(f"{arguments} isn't ready")
    peak = Peak(process.pid)
    cpu_before = cpu_seconds(process.pid)
    began = time.monotonic()
    process.stdin.write("\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    wall = time.monotonic() - began
    # Whoever has answered has nothing left to do, but is not waited for yet: its figures are still there.
    cpu = cpu_of_all(process) - cpu_before
    peak_bytes = peak.stop()
    process.stdin.close()
    if process.wait() != 0 or not answer:
        sys.exit(f"{arguments} failed")
    read_bytes, mp3 = answer.split()
    clean(arguments, environment, mp3)
    return {"wall": wall, "cpu": cpu, "peak": peak_bytes, "read": int(read_bytes)}


def clean(arguments, environment, mp3):
    """Deletes what a run has made, but not the video itself."""
    store = pathlib.Path(environment.get("store") or arguments[2])
    made = store / "mp3s" / mp3
    if made.stat().st_size < 100_000:
        sys.exit(f"{arguments} made an MP3 of {made.stat().st_size} bytes")
    made.unlink()
    if "store" not in environment and arguments[1].endswith("decant-decode"):
        (store / "videos" / arguments[-1]).unlink()  # the other name


def cpu_seconds(pid):
    """Of a process and of its children that it has waited for."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def cpu_of_all(process):
    """The same when it has ended, but as a zombie: then all its children are in it."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return cpu_seconds(process.pid)


class Peak(threading.Thread):
    def __init__(self, pid):
        super().__init__()
        self.pid, self.bytes, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while True:
            alive = tree(self.pid)
            self.bytes = max(self.bytes, sum(map(most_resident, alive)))
            if self.ended.wait(0.05):
                return

    def stop(self):
        self.ended.set()
        self.join()
        return self.bytes


def tree(pid):
    found = [pid]
    for parent in found:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children") as children:
                    found.extend(map(int, children.read().split()))
        except OSError:
            pass  # it has ended
    return found


def most_resident(pid):
    """In bytes, since this was asked last."""
    try:
        with open(f"/proc/{pid}/status") as status:
            peak = next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")), 0)
        with open(f"/proc/{pid}/clear_refs", "w") as reset:
            reset.write("5")
        return peak
    except OSError:
        return 0


def judge(medians):
    """Sentences about the goals that were measured, and whether they are met."""
    verdicts = []

    def at_most(what, figure, goal):
        met = figure <= goal
        verdicts.append((f"{what}: {figure:.2f} (goal: at most {goal}): {'met' if met else 'not met'}", met))

    def figure(film, way, name):
        return medians.get((film, way), {}).get(name)

    if ("film", "decant") in medians:
        at_most("wall, of ffmpeg's, film", ratio(medians, "film", "ffmpeg", "wall"), MOST_WALL_OF_FFMPEG)
        at_most("wall, of the older way's, film", ratio(medians, "film", "older", "wall"), MOST_WALL_OF_OLDER)
        at_most("CPU, of ffmpeg's, film", ratio(medians, "film", "ffmpeg", "cpu"), MOST_CPU_OF_FFMPEG)
    for film in ["film", "long", "large"]:
        if (film, "decant") in medians:
            at_most(f"peak of convert and its child in MB, {film}", figure(film, "decant", "peak") / 1e6, MOST_PEAK_MB)
    if ("film", "decant") in medians and ("long", "decant") in medians:
        growth = figure("long", "decant", "peak") / figure("film", "decant", "peak") - 1
        at_most("growth of the peak from ten minutes to two hours", growth, SAME_PEAK)
    if ("mp3", "decant") in medians:
        speed_up = 1 / ratio(medians, "mp3", "ffmpeg", "wall")
        met = speed_up >= LEAST_COPY_SPEED_UP
        verdicts.append(
            (
                f"copy of an MP3 track, times faster than ffmpeg transcodes it: {speed_up:.1f} "
                f"(goal: at least {LEAST_COPY_SPEED_UP}): {'met' if met else 'not met'}",
                met,
            )
        )
    return verdicts


def ratio(medians, film, way, name):
    return medians[film, "decant"][name] / medians[film, way][name]


def table(medians, sizes):
    lines = [
        "| film | size, MB | way | wall, s | CPU, s | peak, MB | read, MB |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for (film, way), each in medians.items():
        lines.append(
            f"| {film} | {sizes[film] / 1e6:.1f} | {way} | {each['wall']:.2f} | {each['cpu']:.2f} "
            f"| {each['peak'] / 1e6:.1f} | {each['read'] / 1e6:.1f} |"
        )
    return "\n".join(lines) + "\n"


def page(text, options):
    with open("/proc/cpuinfo") as cpuinfo:
        model = next(line.split(":")[1].strip() for line in cpuinfo if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    with open("/etc/os-release") as release:
        system = next(line.split('"')[1] for line in release if line.startswith("PRETTY_NAME="))
    commit = output("git", "describe", "--always", "--dirty")
    moviepy = "MoviePy 1.0.3 on Python " + output(options.older, "--version").split()[1]
    native = os.path.basename(options.native) or "unknown"
    return f"""# From the store to the store

Written by `bench/run`, which says what was run; `bench/measure.py` says how it was measured. Medians of {options.runs} runs, in
turn, each way warmed. MB are 10^6 bytes.

- date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.2f} at the end
- machine: {model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GB, {system}, Linux {platform.release()}
- decant: {commit}, {output('rustc', '--version') if shutil.which('rustc') else ''}, libraries {native}
- {output('ffmpeg', '-version').splitlines()[0].split(' Copyright')[0]}
- older: {moviepy}, the same ffmpeg

{text}"""


def output(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip()


def say(words):
    print(f"decant: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
