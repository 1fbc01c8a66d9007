"""How much of Drydock one request, one person or one address may take: every budget, and why it is so large.

What counts and refuses stands where it belongs; each number has a test from both sides (tests/test_limits.py).
"""

from datetime import timedelta

# Heads: dashboard/request_limits.py, dashboard/connections.py
HEAD = 32 * 1024  # bytes of address, query and headers, cookies among them
HEAD_WITHIN = 10.0  # seconds from its first byte, or from the beginning of the connection, to the end of a head
ENDLESS = 256 * 1024  # bytes of a head, of trailers or between chunks, until the connection is cut unanswered
HEADLESS = 256  # connections that may be without a head at one time; of more the oldest goes: honest ones take moments

# Bodies: dashboard/request_limits.py, functions_app/api/hooks.py
BODY = 256 * 1024  # bytes: any form, and any event of EventBridge
EVENT = 256 * 1024  # bytes; no event and no message of SQS was larger when this was written
LARGE_BODY = 9 * 1024 * 1024  # bytes, where one is due: a payload to invoke with may have 6 MB
SMALL_BODY = 16 * 1024  # bytes: what is no larger is taken whatever others hold
HELD_BODIES = 128 * 1024 * 1024  # bytes of all larger bodies that are being taken in at one time
ADDRESS_BODIES = 24 * 1024 * 1024  # bytes of them from one address: two of the largest, and forms
BODY_WITHIN = 60.0  # seconds for a whole body: 9 MB over a slow line

# Forms and queries: Django, by dashboard/settings.py
FORM = 8 * 1024 * 1024  # bytes beside files: a payload to invoke with may have 6 MB
FIELDS = 1_000  # of one form: a person ticks and types fewer
QUERY_FIELDS = FIELDS  # of one query: Django has one setting for both
FILES = 0  # no form of ours takes one

# Streams: functions_app/streams/application.py, api_streams.py
PERSONS_STREAMS = 100  # open on one process by one person, unless DRYDOCK_STREAMS_PER_PERSON says otherwise
TOKENS_STREAMS = 50  # open on one process with one token: a bot follows what it started, and rarely more
STREAMS = 10_000  # open on one process, whoever watches: each costs some 30 KB

# Requests that take long: dashboard/plan_threads.py
PLAN_THREADS = 8
"""Of each web process: more than there are people who plan at once, and few enough that they share a quota with a sync.

A plan makes five to ten calls, each of which may wait for AWS, and does next to nothing in between.
"""
MOST_PLAN_THREADS = 64  # that DRYDOCK_PLAN_THREADS may ask for: each keeps a connection to the database
SIGN_INS_IN_LINE = 8  # of one web process, behind the one whose password is hashed: nobody waits longer than 3 s

# Sign-ins that failed: functions_app/services/people/sign_in.py
SIGN_IN_WINDOW = timedelta(hours=1)  # failures older than that are forgotten
SIGN_INS = 5  # failures of one name from one address before the first wait
FIRST_WAIT = 10.0  # seconds; every further failure doubles it
LONGEST_WAIT = 900.0  # seconds: who mistyped all morning gets in after a coffee
ADDRESS_WINDOW = timedelta(minutes=15)  # of all failures from one address: an office stands behind it
ADDRESS_SIGN_INS = 50  # failures from one address, whatever the names
ADDRESS_WAIT = 60.0  # seconds
NAME_SIGN_INS = 10  # failures of one name within the hour, wherever from: then it is tried once in so many seconds
NAME_WAIT = 60.0  # seconds
KNOWN_FOR = timedelta(days=30)  # who signed in from an address is known there, and waits for nobody else's failures

# The API: functions_app/api/door.py
TOKEN_RATE = 20  # requests a second with one token: a bot that polls as fast leaves the pages as they are
TOKEN_BURST = 60  # at once, after a rest

# Answers that are held until a run has ended: functions_app/streams/waiting_answers.py
LONGEST_ANSWER = 25  # seconds: proxies cut what is silent for longer than 30
HELD_ANSWERS = 2_000  # by one process; of more each is answered at once
