"""Runs the conformance script with client/python/wharf.py: a line of JSON for each step."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client",
                                "python"))
import wharf  # noqa: E402


def result_of(error):
    result = {"error": error.code}
    if error.retry_after:
        result["retry_ms"] = round(error.retry_after * 1000)
    return result


def options_of(step):
    return {"timeout": step["timeout_ms"] / 1000} if "timeout_ms" in step else {}


class Raw:
    """Text that travels as it is: wharf.py itself sends nothing that is no JSON."""

    def __init__(self, client, text):
        self.client, self.text = client, text

    def __enter__(self):
        self.before, wharf._to_json = wharf._to_json, lambda value: self.text.encode()

    def __exit__(self, *_):
        wharf._to_json = self.before


def run_call(client, step):
    if "raw" in step:
        with Raw(client, step["raw"]):
            future = client.start(step["command"], **options_of(step))
        return {"reply": future.result()}
    return {"reply": client.call(step["command"], step.get("argument"), **options_of(step))}


def run_pipeline(client, step):
    futures = [client.start(step["command"], each, **options_of(step))
               for each in step["arguments"]]
    return {"replies": [each.result() for each in futures]}


def run_stream(client, step):
    items, result = [], {}
    with client.stream(step["command"], step.get("argument"), upload=step.get("upload"),
                       **options_of(step)) as stream:
        try:
            while len(items) < step.get("take", len(items) + 1):
                items.append(next(stream))
            return {"items": items}
        except StopIteration:
            result["reply"] = stream.result()
        except wharf.Error as e:
            result = result_of(e)
    return {**result, "items": items}


def main(endpoint, path):
    with open(path, encoding="utf-8") as file:
        script = json.load(file)
    steps = {"call": run_call, "pipeline": run_pipeline, "stream": run_stream}
    with wharf.connect(endpoint) as client:
        for step in script:
            try:
                result = steps[step["do"]](client, step)
            except wharf.Error as e:
                result = result_of(e)
            print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
