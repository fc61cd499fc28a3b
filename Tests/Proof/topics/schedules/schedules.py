#!/usr/bin/env python3
"""Compares the moments of schedules with those of croniter and of systemd, in zones with unusual clocks.

croniter (installed from PyPI into a temporary virtual environment) says which days and times of day the five fields
mean. Python's zoneinfo turns these into moments, by the documented rule for clocks that change. systemd-analyze(1) is
asked for the same schedules in its own words where it has them; the days on which clocks change are left out there,
because its rule for them is another.

    Tests/Proof/topics/schedules/schedules.py [--full] [--seed N]
"""

import datetime
import pathlib
import subprocess
import sys
import tempfile
import zoneinfo

LIB = pathlib.Path(__file__).resolve().parents[2] / "lib"
sys.path.insert(0, str(LIB))

import binaries
import topic

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca")
UTC = datetime.timezone.utc
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
# Beside the random ones: moments in the hours that clocks skip or repeat, and both ways to combine days.
SCHEDULES = (
    "30 2 * * *",
    "*/15 1-3 * * *",
    "30 * * * *",
    "0 */2 * * *",
    "15,45 1,2 * * *",
    "0 0 13 * 5",
    "0 3 */2 * 1",
    "30 1 1-7 * */7",
    "59 23 31 * *",
    "0 12 29 2 *",
    "5 4 * jan,jul sun",
)


def install_croniter(folder):
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "croniter"]
    subprocess.run(pip, check=True, timeout=120)
    sys.path += [str(path) for path in pathlib.Path(folder).glob("lib/python*/site-packages")]


def random_field(chance, low, high):
    kind = chance.randrange(5)
    if kind == 0:
        return "*"
    if kind == 1:
        return f"*/{chance.randint(2, max(2, (high - low) // 2))}"
    first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
    # croniter takes a range of one value for a range that goes all the way round.
    if kind == 2 and first < last:
        return f"{first}-{last}" if chance.random() < 0.5 else f"{first}-{last}/{chance.randint(1, 5)}"
    return ",".join(str(chance.randint(low, high)) for _ in range(chance.randint(1, 3)))


def random_schedule(chance):
    minute = ",".join(str(chance.randrange(60)) for _ in range(chance.randint(1, 2)))
    day = random_field(chance, 1, 28) if chance.random() < 0.6 else "*"
    month = random_field(chance, 1, 12) if chance.random() < 0.4 else "*"
    weekday = random_field(chance, 0, 6) if chance.random() < 0.6 else "*"
    return f"{minute} {random_field(chance, 0, 23)} {day} {month} {weekday}"


def moments_of_clock(clock, zone, is_wild):
    """When clocks show a time: the rule of the documentation, by means of zoneinfo."""
    both = [clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    real = sorted({moment for moment in both if moment.astimezone(zone).replace(tzinfo=None) == clock})
    if real:
        return real if is_wild else real[:1]
    if is_wild:
        return []
    # The first minute whose clocks show more.
    moment = min(both) - datetime.timedelta(hours=2)
    while moment.astimezone(zone).replace(tzinfo=None) < clock:
        moment += datetime.timedelta(minutes=1)
    return [moment]


def expected(schedule, name, begin, end):
    import croniter

    zone = zoneinfo.ZoneInfo(name)
    margin = datetime.timedelta(days=2)
    clocks = croniter.croniter(schedule, begin.replace(tzinfo=None) - margin, implement_cron_bug=True)
    moments = set()
    while (clock := clocks.get_next(datetime.datetime)) < end.replace(tzinfo=None) + margin:
        moments.update(moments_of_clock(clock, zone, schedule.split()[1].startswith("*")))
    return sorted(int(moment.timestamp()) for moment in moments if begin < moment <= end)


def ask(program, questions):
    lines = "".join(
        f"{zone}\t{schedule}\t{int(begin.timestamp())}\t{int(end.timestamp())}\n"
        for schedule, zone, begin, end in questions
    )
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True, timeout=1800)
    return [[int(moment) for moment in line.split()] for line in done.stdout.splitlines()]


def first_difference(schedule, zone, found, wanted):
    moment = min(set(found) ^ set(wanted))
    shown = datetime.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone)).isoformat()
    return f"{schedule} in {zone}: {'only Bobbin' if moment in found else 'Bobbin does not'} say(s) {shown}"


def compare_with_croniter(options, report, program):
    schedules = [*SCHEDULES, *(random_schedule(options.random) for _ in range(40 if options.full else 8))]
    years = 20 if options.full else 1
    begin = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    end = datetime.datetime(2026 + years, 1, 1, tzinfo=UTC)
    questions = [(schedule, zone, begin, end) for schedule in schedules for zone in ZONES]
    differences = []
    count = 0
    for (schedule, zone, _, _), found in zip(questions, ask(program, questions), strict=True):
        wanted = expected(schedule, zone, begin, end)
        count += len(wanted)
        if found != wanted:
            differences.append(first_difference(schedule, zone, found, wanted))
    report.check(
        not differences and count > 0, "every moment is the one that croniter and zoneinfo find", differences
    )
    report.figure(
        f"{count:,} moments of {len(schedules)} schedules in {len(ZONES)} zones and {years} years are those of croniter"
    )


def systemd_moments(calendar, begin, count):
    base = begin.strftime("%Y-%m-%d %H:%M:%S UTC")
    command = ["systemd-analyze", "calendar", f"--base-time={base}", f"--iterations={count}", calendar]
    done = subprocess.run(
        command, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True, timeout=60
    )
    texts = [line.split(": ", 1)[1] for line in done.stdout.splitlines() if ": " in line and line.endswith(" UTC")]
    moments = [datetime.datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) for text in texts]
    return sorted({int(moment.timestamp()) for moment in moments})


def near_change(moment, zone):
    around = [
        datetime.datetime.fromtimestamp(moment + hours * 3600, zone).utcoffset() for hours in range(-26, 27, 2)
    ]
    return len(set(around)) > 1


def compare_with_systemd(options, report, program):
    begin = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    count = 200 if options.full else 40
    differences = []
    compared = 0
    for zone in ZONES:
        for _ in range(20 if options.full else 4):
            hour, minute = options.random.randrange(24), options.random.randrange(60)
            day, weekday = options.random.randint(1, 28), options.random.randrange(7)
            for schedule, calendar in (
                (f"{minute} {hour} * * {weekday}", f"{DAYS[weekday]} *-*-* {hour}:{minute}:00 {zone}"),
                (f"{minute} {hour} {day} * *", f"*-*-{day} {hour}:{minute}:00 {zone}"),
                (f"{minute} */6 * * *", f"*-*-* 0/6:{minute}:00 {zone}"),
            ):
                wanted = systemd_moments(calendar, begin, count)
                end = datetime.datetime.fromtimestamp(wanted[-1], UTC)
                found = ask(program, [(schedule, zone, begin, end)])[0]
                info = zoneinfo.ZoneInfo(zone)
                found, wanted = ([time for time in times if not near_change(time, info)] for times in (found, wanted))
                compared += len(wanted)
                if found != wanted:
                    differences.append(first_difference(schedule, zone, found, wanted))
    report.check(
        not differences and compared > 0, "every moment away from a change of clocks is that of systemd", differences
    )
    report.figure(f"{compared:,} moments are those of systemd-analyze calendar")


def main():
    options, report = topic.begin(__doc__)
    program = binaries.moments_program()
    with tempfile.TemporaryDirectory(prefix="bobbin-croniter-") as folder:
        install_croniter(folder)
        compare_with_croniter(options, report, program)
    compare_with_systemd(options, report, program)
    report.finish()


if __name__ == "__main__":
    main()
