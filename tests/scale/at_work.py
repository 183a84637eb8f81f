"""Run inside the clean machine, by its own Python: people work through nginx during a restart.

Threads submit leads over HTTPS, each under an Idempotency-Key, while `careloom-restart` goes round
all processes. Every answer must be 201, and then every lead must be there, each with its instance.
"""

import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from uuid import uuid4

NAME = "care.example.com"
THREADS = 4
PATIENCE = 300  # seconds until everything that follows has followed
unproven = ssl.create_default_context()  # the page's first certificate proves nothing
unproven.check_hostname = False
unproven.verify_mode = ssl.CERT_NONE


def careloom(*words, given=""):
    done = subprocess.run(["careloom", *words], input=given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"careloom {words}: {done.stdout}{done.stderr}")
    return done.stdout


def submit(token, number):
    """The status a lead is answered with, and what nginx or Careloom said."""
    lead = {
        "channel": "hotline_400",
        "name": f"客户{number}",
        "mobile": f"1990{number:07d}",
        "pack_kind": "dental",
        "project": ["den_scaling"],
        "received_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "consent_privacy": True,
    }
    request = urllib.request.Request(
        "https://127.0.0.1/api/records/lead_intake",
        json.dumps(lead).encode(),
        {
            "Host": NAME,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid4().hex,
        },
    )
    try:
        with urllib.request.urlopen(request, context=unproven, timeout=120) as answer:
            return answer.status, json.load(answer)["id"]
    except urllib.error.HTTPError as error:
        return error.code, error.read()[:300]


def count(query):
    words = ["su", "postgres", "-c", f'psql -At careloom -c "{query}"']
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def main():
    password = "a long enough password\n"
    words = (
        "people",
        "add",
        "lina",
        "--role",
        "online_consultant",
        "--unit",
        "B1",
        "--password-stdin",
    )
    careloom(*words, given=password)
    token = careloom("tokens", "issue", "lina").strip()
    seen, leads, over, lock = Counter(), set(), threading.Event(), threading.Lock()
    numbers = iter(range(1, 10**6))

    def work():
        while not over.is_set():
            with lock:
                number = next(numbers)
            status, said = submit(token, number)
            with lock:
                seen[status] += 1
                leads.add(said) if status == 201 else print(status, said, flush=True)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    subprocess.run(["careloom-restart"], check=True)
    over.set()
    for thread in threads:
        thread.join()
    until = time.monotonic() + PATIENCE
    flow = "FROM instance WHERE flow_key = 'den_lead_followup'"
    while count(f"SELECT count(*) {flow}") < len(leads) and time.monotonic() < until:
        time.sleep(1)
    found = count("SELECT count(*) FROM form_lead_intake")
    instances = count(f"SELECT count(*) {flow}"), count(f"SELECT count(DISTINCT subject_id) {flow}")
    print(
        f"answers {dict(seen)}; leads acknowledged {len(leads)}, there {found};"
        f" instances {instances}"
    )
    careloom("check")
    if set(seen) != {201} or not leads or found != len(leads) or instances != (found, found):
        sys.exit("something was lost, doubled or refused")


main()
