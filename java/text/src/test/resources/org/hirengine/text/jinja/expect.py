"""Regenerates cases.jsonl with the real Jinja: python3 expect.py (needs transformers and jinja2).

A case names its template and one of the sets of variables.json; this script writes what the environment
of transformers' chat templates makes of it: "expected", or "raises" with Python's error.
The clock stands at 2024-07-06 09:08:07.123456.
"""

import copy
import datetime
import json
import pathlib

from transformers.utils import chat_template_utils


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2024, 7, 6, 9, 8, 7, 123456)


chat_template_utils.datetime = FixedClock
folder = pathlib.Path(__file__).parent
variables = json.loads((folder / "variables.json").read_text())
lines = []
for line in (folder / "cases.jsonl").read_text().splitlines():
    case = {key: value for key, value in json.loads(line).items() if key not in ("expected", "raises")}
    try:
        template = chat_template_utils._compile_jinja_template(case["template"])
        case["expected"] = template.render(**copy.deepcopy(variables[case["variables"]]))
    except Exception as error:
        case["raises"] = f"{type(error).__name__}: {error}"
    lines.append(json.dumps(case) + "\n")
(folder / "cases.jsonl").write_text("".join(lines))
