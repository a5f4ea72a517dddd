"""The network API against its own OpenAPI document: a server of it on a fake machine (api_server.c) answers."""
import http.client
import json
import os
import re
import subprocess

import jsonschema
import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = os.path.join(TOP, "guests/console/api/openapi.json")
ODD = "o%22d%5Cd"


class Server:
    """One connection over pipes; every answer is checked against the document."""

    def __init__(self, document):
        self.document = document
        self.process = subprocess.Popen([os.path.join(TOP, "build/tests/unit/api_server")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.ann, self.vic, self.oda = self.process.stdout.readline().decode().split()
        self.seen = set()

    def makefile(self, _mode):
        """http.client closes what it is given; the connection is to stay. Nothing comes before it is asked for."""
        return open(os.dup(self.process.stdout.fileno()), "rb")

    def send(self, method, path, token=None, body=None, headers=()):
        lines = [f"{method} {path} HTTP/1.1", "Host: test"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in headers]
        self.process.stdin.write("\r\n".join(lines + ["", ""]).encode() + (body or b""))
        self.process.stdin.flush()

    def ask(self, method, path, token=None, body=None, headers=()):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = [*headers, ("Content-Type", "application/json")]
        self.send(method, path, token, body, headers)
        answer = http.client.HTTPResponse(self, method=method)
        answer.begin()
        data = answer.read()
        self.check(method, path.split("?")[0], answer, data)
        return answer.status, answer, data

    def json(self, *arguments, **keywords):
        status, _, data = self.ask(*arguments, **keywords)
        return status, json.loads(data)

    def operation(self, method, path):
        for pattern, operations in self.document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) and method.lower() in operations:
                return pattern, operations[method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")

    def check(self, method, path, answer, data):
        pattern, operation = self.operation(method, path)
        response = operation["responses"].get(str(answer.status)) or operation["responses"]["default"]
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].split("/")[-1]]
        self.seen.add((method, pattern, answer.status))
        if "content" not in response or answer.status == 304:
            assert not data
            return
        kind = answer.getheader("Content-Type").split(";")[0]
        assert kind in response["content"], f"{method} {path}: {kind} is not in the document"
        if kind.endswith("json"):
            resolver = jsonschema.RefResolver.from_schema(self.document)
            jsonschema.Draft4Validator(response["content"][kind]["schema"], resolver=resolver).validate(json.loads(data))


@pytest.fixture(scope="module", name="document")
def read_document():
    with open(DOCUMENT, encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(name="server")
def run_server(document):
    server = Server(document)
    yield server
    server.process.stdin.close()
    assert server.process.wait(10) == 0


def resources(document, with_streams=False):
    for path, operations in document["paths"].items():
        if "get" in operations:
            responses = operations["get"]["responses"]
            if with_streams or "text/event-stream" not in responses.get("200", {}).get("content", {}):
                yield path


def test_the_document_is_served_and_whole(server, document):
    status, answer, data = server.ask("GET", "/api/v1/openapi.json")
    assert status == 200 and json.loads(data) == document
    status, _, data = server.ask("GET", "/api/v1/openapi.json", headers=[("If-None-Match", answer.getheader("ETag"))])
    assert status == 304 and not data
    for name in re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(document)):
        assert name[1] in document["components"][name[0]]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft4Validator.check_schema(schema)


def test_the_table_of_routes_is_the_document(document):
    with open(os.path.join(TOP, "guests/console/api/routes.c"), encoding="utf-8") as file:
        source = file.read()
    routes = set()
    for method, path in re.findall(r"^\t(GET|POST|PUT|DELETE)\(([^,]+),", source, re.M):
        path = path.replace("PARTITION", 'API "/partitions/{name}"').replace("API", '"/api/v1"')
        routes.add((method.lower(), path.replace('"', "").replace(" ", "")))
    assert routes == {(method, path) for path, operations in document["paths"].items() for method in operations}


def test_every_get_of_every_role(server, document):
    for path in resources(document):
        for name in ("alpha", "alpha.monitor", "beta", ODD, "nobody"):
            for token in (server.ann, server.vic, server.oda, None):
                status, _, _ = server.ask("GET", path.replace("{name}", name), token)
                assert status in (200, 401, 403, 404)
    assert ("GET", "/api/v1/partitions/{name}/exits", 200) in server.seen


def test_names_with_any_byte(server):
    _, answer = server.json("GET", "/api/v1/partitions", server.ann)
    assert [p["name"] for p in answer["partitions"]] == ["alpha", "alpha.monitor", "beta", 'o"d\\d\x01\ufffd<b>']
    _, answer = server.json("GET", "/api/v1/ports", server.vic)
    assert answer["ports"][2]["words"] == 'e1000: \x1b \ufffd "x"'


def test_an_operator_sees_his_own_only(server):
    _, answer = server.json("GET", "/api/v1/partitions", server.oda)
    assert [p["name"] for p in answer["partitions"]] == ["beta"]
    _, answer = server.json("GET", "/api/v1/statistics", server.oda)
    assert {v["partition"] for v in answer["vcpus"]} == {"beta"}
    _, answer = server.json("GET", "/api/v1/networks", server.oda)
    assert [n["name"] for n in answer["networks"]] == ["inside"]
    _, answer = server.json("GET", "/api/v1/ports", server.oda)
    assert [p["name"] for p in answer["ports"]] == ["beta.0"]
    _, _, data = server.ask("GET", "/metrics", server.oda)
    assert b'"beta"' in data and b"alpha" not in data and b'"lan"' not in data
    for what in ("", "/report", "/exits", "/console"):
        assert server.ask("GET", "/api/v1/partitions/alpha" + what, server.oda)[0] == 404
    assert server.ask("POST", "/api/v1/partitions/alpha/stop", server.oda)[0] == 404
    assert server.ask("GET", "/api/v1/log", server.oda)[0] == 403
    assert server.ask("GET", "/api/v1/tokens", server.oda)[0] == 403


def test_operations(server):
    beta = "/api/v1/partitions/beta"
    status, answer = server.json("POST", beta + "/start", server.oda)
    assert status == 202 and answer["state"] == "starting"
    status, answer = server.json("POST", beta + "/pause", server.oda)
    assert status == 409 and "another state" in answer["detail"]
    assert server.ask("POST", beta + "/start", server.vic)[0] == 403
    assert server.ask("POST", "/api/v1/partitions/alpha.monitor/stop", server.ann)[0] == 403
    assert server.ask("POST", "/api/v1/partitions/nobody/stop", server.ann)[0] == 404
    _, answer = server.json("GET", "/api/v1/machine", server.vic)
    assert len(answer["cpus"]) == 300 and answer["cpus"][299]["apic_id"] == 598


def test_long_texts(server):
    _, answer = server.json("GET", "/api/v1/log?from=0", server.vic)
    lines = answer["text"].splitlines()
    assert answer["from"] == 1000 and lines[0] == "[0.0] a line" and lines[-1] == "[999.0] a line"
    assert answer["next"] == 1000 + len(answer["text"])
    _, rest = server.json("GET", f"/api/v1/log?from={answer['next'] - 5}", server.vic)
    assert rest["text"] == "line\n"
    assert server.json("GET", "/api/v1/log?from=x", server.vic)[1]["next"] == answer["next"]
    assert server.json("GET", "/api/v1/log?from=99999999999", server.vic)[1]["text"] == ""
    assert server.json("GET", "/api/v1/machine/capabilities", server.vic)[1]["text"] == 'VPID: yes \x1b[2J "quoted"\n'


def test_consoles(server):
    alpha = "/api/v1/partitions/alpha/console"
    _, answer, data = server.ask("GET", alpha, server.vic)
    assert data == b"Welcome to alpha\r\n\x1b[1mlogin:\x1b[0m "
    octets = [("Content-Type", "application/octet-stream")]
    status, _, data = server.ask("POST", alpha, server.ann, b"ls\r\0\xff", octets)
    assert status == 200 and json.loads(data) == {"taken_bytes": 5}
    status, _, data = server.ask("POST", alpha, server.ann, b"x" * 1000, octets)
    assert json.loads(data) == {"taken_bytes": 195}
    assert server.ask("POST", alpha, server.vic, b"ls", octets)[0] == 403
    assert server.ask("POST", "/api/v1/partitions/beta/console", server.oda, b"ls", octets)[0] == 200


def test_tokens(server):
    status, answer = server.json("POST", "/api/v1/tokens", server.ann,
                                 {"name": "new", "role": "operator", "partitions": ["beta", "alpha"]})
    assert status == 201 and answer["partitions"] == ["beta", "alpha"]
    assert server.json("GET", "/api/v1/session", answer["token"])[1]["name"] == "new"
    assert len(server.json("GET", "/api/v1/partitions", answer["token"])[1]["partitions"]) == 3
    for status, body in ((409, {"name": "new", "role": "viewer"}), (422, {"name": "x", "role": "root"}),
                         (422, {"name": "x"}), (422, {"role": "viewer"}), (422, []), (422, {"name": 1}),
                         (422, {"name": "x", "role": "operator"}), (422, {"name": "x", "role": "viewer", "more": 1}),
                         (422, {"name": "x", "role": "operator", "partitions": ["nobody"]}),
                         (422, {"name": "x", "role": "operator", "partitions": ["beta"] * 9}),
                         (422, {"name": "x" * 32, "role": "viewer"}), (422, {"name": "a b", "role": "viewer"})):
        assert server.ask("POST", "/api/v1/tokens", server.ann, body)[0] == status, body
    kind = [("Content-Type", "application/json")]
    for body in (b"", b"{", b'{"name":"a"}}', b"[" * 2000, b"\xff", b'{"name":"\\ud800"}'):
        status, _, data = server.ask("POST", "/api/v1/tokens", server.ann, body, kind)
        assert status == 400 and b"The body is not JSON, at byte " in data
    assert server.ask("POST", "/api/v1/tokens", server.ann, b'{"name":"a","name":"b"}', kind)[0] == 422
    assert server.ask("POST", "/api/v1/tokens", server.vic, {"name": "y", "role": "viewer"})[0] == 403
    assert server.ask("DELETE", "/api/v1/tokens/new", server.ann)[0] == 204
    assert server.ask("DELETE", "/api/v1/tokens/new", server.ann)[0] == 404
    assert server.ask("GET", "/api/v1/session", answer["token"])[0] == 401
    what = [e["what"] for e in server.json("GET", "/api/v1/audit", server.ann)[1]["entries"]]
    assert what == ["create token new, operator", "revoke token new", "log in"]


def test_a_browser(server):
    status, answer, data = server.ask("POST", "/api/v1/session", None, {"token": server.oda})
    assert status == 201
    cookie = answer.getheader("Set-Cookie")
    assert cookie.startswith("__Host-bulkhead=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} == {part.strip() for part in cookie.split(";")[1:]}
    sent = [("Cookie", "x=y; " + cookie.split(";")[0])]
    csrf = json.loads(data)["csrf"]
    assert server.json("GET", "/api/v1/session", headers=sent)[1]["csrf"] == csrf
    start = "/api/v1/partitions/beta/start"
    assert server.ask("POST", start, headers=sent)[0] == 403
    assert server.ask("POST", start, headers=[*sent, ("X-CSRF-Token", "0" * 48)])[0] == 403
    assert server.ask("POST", start, headers=[*sent, ("X-CSRF-Token", csrf)])[0] == 202
    assert server.ask("GET", "/api/v1/partitions/alpha", headers=sent)[0] == 404
    assert server.ask("DELETE", "/api/v1/session", headers=[*sent, ("X-CSRF-Token", csrf)])[0] == 204
    assert server.ask("GET", "/api/v1/session", headers=sent)[0] == 401
    assert server.ask("POST", "/api/v1/session", None, {"secret": server.oda})[0] == 422
    assert server.ask("POST", "/api/v1/session", None, {"token": "x" * 1000})[0] == 401


def test_guessing_gets_slow(server):
    wrong = server.ann[:-1] + ("0" if server.ann[-1] != "0" else "1")
    for _ in range(3):
        status, answer, _ = server.ask("GET", "/api/v1/partitions", wrong)
        assert status == 401 and answer.getheader("WWW-Authenticate").startswith("Bearer")
    status, answer, _ = server.ask("GET", "/api/v1/partitions", server.ann)
    assert status == 429 and answer.getheader("Retry-After") == "1"
    assert server.ask("POST", "/api/v1/session", None, {"token": server.ann})[0] == 429
    assert server.ask("GET", "/api/v1/partitions")[0] == 401


OCTETS = [("Content-Type", "application/octet-stream")]


def test_images(server):
    images = "/api/v1/images"
    _, answer = server.json("GET", images, server.ann)
    assert answer["free"] == 1 << 30
    assert [(i["name"], i["origin"], i["users"]) for i in answer["images"]] == [
        ("kernels/vmlinuz", "boot", ["alpha", 'o"d\\d\x01\ufffd<b>'])]
    for status, body in ((422, {}), (422, {"name": "x"}), (422, {"name": "x", "bytes": 0}), (422, []),
                         (422, {"name": "x" * 64, "bytes": 1}), (422, {"name": "a b", "bytes": 1}),
                         (422, {"name": "x", "bytes": -1}), (422, {"name": "x", "bytes": 1, "more": 1}),
                         (409, {"name": "kernels/vmlinuz", "bytes": 1}), (507, {"name": "x", "bytes": 1000})):
        assert server.ask("POST", images, server.ann, body)[0] == status, body
    status, answer, data = server.ask("POST", images, server.ann, {"name": "x", "bytes": 10})
    assert status == 201 and answer.getheader("Location") == images + "/x" and not json.loads(data)["complete"]
    for status, query, body in ((400, "", b"a"), (400, "?offset=x", b"a"), (409, "?offset=1", b"a"),
                                (200, "?offset=0", b"abcd"), (409, "?offset=0", b"abcd"), (422, "?offset=4", b"7 bytes"),
                                (200, "?offset=4", b"efghij")):
        assert server.ask("PUT", images + "/x/content" + query, server.ann, body, OCTETS)[0] == status, query
    assert server.json("PUT", images + "/x/content?offset=1", server.ann, b"x", OCTETS)[1]["detail"] == (
        "Offset 10 is wanted.")
    assert server.json("GET", images, server.ann)[1]["images"][1]["complete"]
    assert server.ask("PUT", images + "/y/content?offset=0", server.ann, b"x", OCTETS)[0] == 404
    assert server.ask("PUT", images + "/x/content?offset=10", server.vic, b"x", OCTETS)[0] == 403
    assert server.ask("DELETE", images + "/x", server.vic)[0] == 403
    assert server.ask("DELETE", images + "/x", server.ann)[0] == 204
    assert server.ask("DELETE", images + "/x", server.ann)[0] == 404


def test_partitions_at_run_time(server):
    all_of = "/api/v1/partitions"
    for status, body in ((422, {}), (422, []), (422, {"name": "x"}), (422, {"name": "x", "kind": "pet"}),
                         (422, {"name": 1, "kind": "guest"}), (422, {"name": "x", "kind": "guest", "keys": 1}),
                         (422, {"name": "x", "kind": "guest", "keys": {"memory": 1}}),
                         (422, {"name": "x", "kind": "guest", "keys": {str(i): "1" for i in range(30)}}),
                         (422, {"name": "x", "kind": "guest", "more": 1}),
                         (409, {"name": "alpha", "kind": "guest"}),
                         (507, {"name": "x", "kind": "guest", "keys": {"memory": "1T"}})):
        assert server.ask("POST", all_of, server.ann, body)[0] == status, body
    status, answer = server.json("POST", all_of, server.ann, {"name": "x", "kind": "guest", "keys": {"memory": "x"}})
    assert (status, answer["detail"], answer["key"]) == (422, '`memory = x` is "wrong".', "memory")
    wanted = {"name": "gamma", "kind": "native", "keys": {"memory": "4M", "arguments": ""}}
    assert server.ask("POST", all_of, server.oda, wanted)[0] == 403
    status, answer, data = server.ask("POST", all_of, server.ann, wanted)
    assert status == 201 and answer.getheader("Location") == all_of + "/gamma" and json.loads(data)["runtime"]
    assert len(server.json("GET", all_of, server.vic)[1]["partitions"]) == 5
    assert server.ask("DELETE", all_of + "/gamma", server.ann)[0] == 409
    assert server.ask("POST", all_of + "/gamma/stop", server.ann)[0] == 202
    assert server.ask("DELETE", all_of + "/gamma", server.vic)[0] == 403
    assert server.ask("DELETE", all_of + "/gamma", server.ann)[0] == 204
    assert server.ask("DELETE", all_of + "/gamma", server.ann)[0] == 404
    assert len(server.json("GET", all_of, server.vic)[1]["partitions"]) == 4
    _, _, data = server.ask("GET", "/api/v1/configuration", server.ann)
    assert data == b"[guest alpha]\nkernel = vmlinuz\n"


def test_metrics_are_well_formed(server):
    """The rules of the text format; promtool knows more, where there is one."""
    _, _, data = server.ask("GET", "/metrics", server.ann)
    sample = re.compile(r'([a-z_]+)(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? (\d+(\.\d{9})?)')
    kinds, last, seen, samples = {}, None, set(), set()
    for line in data.decode("utf-8").rstrip("\n").split("\n"):
        if line.startswith("#"):
            word, name, rest = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line).groups()
            if word == "TYPE":
                assert name not in kinds and rest in ("counter", "gauge")
                kinds[name] = rest
            last = name
            continue
        match = sample.fullmatch(line)
        assert match and match[1] == last, line
        assert match[1].endswith("_total") == (kinds[last] == "counter"), line
        assert (match[1], match[2]) not in samples
        samples.add((match[1], match[2]))
        seen.add(last)
    assert seen == set(kinds)
    assert 'bulkhead_exits_total{partition="alpha",reason="interrupt_window"}' in data.decode()
    assert "bulkhead_uptime_seconds 5.000000123\n" in data.decode()


def test_metrics_as_prometheus_wants_them(server):
    """promtool reads them, and finds nothing to improve, with odd names of partitions, too."""
    status, _, text = server.ask("GET", "/metrics", server.ann)
    assert status == 200
    tool = [os.path.join(TOP, "build/tests/promtool"), "check", "metrics"]
    done = subprocess.run(tool, input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done
