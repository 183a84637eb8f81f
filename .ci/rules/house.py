# What the rules in house.yml must find, and what they must let be; `make rules` tries both.
# fmt: off
# ruff: noqa

# ruleid: no-text-is-run
import pickle
# ruleid: no-network-beside-the-drivers
import requests
# ruleid: no-network-beside-the-drivers
from urllib.request import urlopen
# ok: no-network-beside-the-drivers
from urllib.parse import urlsplit
# ruleid: no-network-from-the-bucket-elsewhere
import boto3
# ruleid: no-other-program-is-run
import subprocess
# ruleid: no-guess-is-a-secret
import random
# ruleid: no-rows-past-the-door
from ..store.rows import insert_row

# ruleid: no-text-is-run
eval(words)
# ruleid: no-text-is-run
subprocess.run(words, shell=True)
# ruleid: no-sql-made-of-text
session.execute(text(f"SELECT * FROM {table}"))
# ruleid: no-sql-made-of-text
connection.exec_driver_sql(f"DROP TABLE {table}")
# ok: no-sql-made-of-text
session.execute(text("SELECT number FROM epoch WHERE id = :id"), {"id": 1})
# ruleid: no-unescaped-markup
Markup(f"<b>{name}</b>")
# ok: no-unescaped-markup
Markup("<b>{}</b>").format(name)
# ruleid: no-rows-past-the-door
session.execute(shape.table.insert(), row)
# ruleid: no-archive-is-unpacked
archive.extractall(folder)
# ruleid: no-laxness
app.run(debug=True)
# ruleid: no-laxness
hashlib.md5(password)
