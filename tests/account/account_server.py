"""A stand-in for AWS over real HTTP: moto's server, with faults on demand, a record of calls, and what moto lacks.

Run as a program it serves on a free port of the loopback interface and prints the port. `AccountServer` starts that
and talks to it. What moto lacks: pages in ListEntitiesForPolicy, and AWS Config's aggregator.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs


class AccountServer:
    """The server as a test uses it. Its accounts are told apart by their access keys, which are their ids."""

    def __init__(self) -> None:
        self.account = "100000000000"
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
        )
        assert self.process.stdout
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def renew(self) -> None:
        """Go on with an account that holds nothing, and without faults: moto's own reset takes a second."""
        self.account = str(int(self.account) + 1)
        self.enforce(False)
        self.tell(faults={}, answers={}, members=[], delay=0)
        self.calls()

    def tell(self, **settings: Any) -> None:
        """Set `faults` (action → code, or [code, times]), `answers` (action → JSON), the `members` of the aggregator
        (account ids), or the `delay` of each call in seconds.

        A fault of "ACTION TEXT" hits only those calls of the action whose body holds the text.
        """
        self._post("/-/settings", json.dumps(settings).encode())

    def calls(self) -> list[str]:
        """The actions that were called since the last time this was asked, as policy documents name them."""
        return list(json.loads(self._post("/-/calls", b"")))

    def attach(self, *attachments: tuple[str, str], account: str = "", partition: str = "aws") -> None:
        """Attach policies to principals, both made when they are missing: ("role/path/name", "path/policy")."""
        told = {"account": account or self.account, "partition": partition, "attachments": attachments}
        self._post("/-/attach", json.dumps(told).encode())

    def enforce(self, on: bool) -> None:
        """Whether moto refuses what the caller's policies do not allow."""
        self._post("/moto-api/reset-auth", b"0" if on else b"inf")

    def environment(self, **more: str) -> dict[str, str]:
        """A process's environment in which only this server is AWS."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return (
            kept
            | {
                "AWS_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": self.account,
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "NO_PROXY": "127.0.0.1",
            }
            | more
        )

    def _post(self, path: str, body: bytes) -> bytes:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request, timeout=120) as response:
            return bytes(response.read())


# From here on: the server's own process.

Environ = dict[str, Any]


class Application:
    """WSGI: answers what moto lacks, fails as told, and passes everything else on to moto."""

    def __init__(self, moto: Any) -> None:
        self.moto = moto
        self.lock = threading.Lock()
        self.called: list[str] = []
        self.settings: dict[str, Any] = {"faults": {}, "answers": {}, "members": [], "delay": 0}

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ["PATH_INFO"]
        if path.startswith("/-/"):
            return self._control(path, body, start_response)
        account, action = _caller(environ), _action(environ, body)
        if not action:
            return self.moto(environ, start_response)  # type: ignore[no-any-return]
        if re.fullmatch(r"\d{12}", account):
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        with self.lock:
            self.called.append(action)
            code = self._fault(action, body.decode("latin-1"))
        time.sleep(self.settings["delay"])
        if code:
            return _failed(action, code, start_response)
        if action in self.settings["answers"]:
            return _json(200, self.settings["answers"][action], start_response)
        if action == "config:SelectAggregateResourceConfig":
            return _json(200, _select(json.loads(body), self.settings["members"]), start_response)
        if action == "config:DescribeConfigurationAggregatorSourcesStatus":
            return _json(200, {"AggregatedSourceStatusList": _sources(self.settings["members"])}, start_response)
        return self.moto(environ, start_response)  # type: ignore[no-any-return]

    def _fault(self, action: str, body: str) -> str:
        faults = self.settings["faults"]
        for fault, told in faults.items():
            hit, _, text = fault.partition(" ")
            if hit == action and text in body:
                code, *times = told if isinstance(told, list) else [told]
                if times:
                    faults[fault] = [code, times[0] - 1] if times[0] > 1 else ""
                return str(code)
        return ""

    def _control(self, path: str, body: bytes, start_response: Any) -> Iterable[bytes]:
        if path == "/-/settings":
            self.settings.update(json.loads(body))
            return _json(200, {}, start_response)
        if path == "/-/attach":
            _attach(**json.loads(body))
            return _json(200, {}, start_response)
        called, self.called = self.called, []
        return _json(200, called, start_response)


def _caller(environ: Environ) -> str:
    """The access key of a signed call."""
    key = re.search(r"Credential=([^/]*)/", environ.get("HTTP_AUTHORIZATION", ""))
    return key[1] if key else ""


def _action(environ: Environ, body: bytes) -> str:
    """The action of a signed call, as a policy document names it; empty for moto's own pages."""
    scope = re.search(r"Credential=[^/]*/\d+/[^/]*/([^/]*)/", environ.get("HTTP_AUTHORIZATION", ""))
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    name = target or parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    return f"{scope[1]}:{name}" if scope and name else ""


_MESSAGES = {
    "Throttling": "Rate exceeded",
    "ThrottlingException": "Rate exceeded",
    "SignatureDoesNotMatch": "Signature expired: 20270101T000000Z is now earlier than 20270101T001500Z",
    "ValidationException": "The operation is not supported for this Identity Center instance",
}
NOT_AWS = "not AWS"  # the fault of a proxy that answers itself


def _failed(action: str, code: str, start_response: Any) -> Iterable[bytes]:
    if code == NOT_AWS:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [b"<html><body>Sign in<br></body></html>"]
    message = _MESSAGES.get(code, f"User: arn:aws:iam::123456789012:user/eve is not authorized to perform: {action}")
    if action.startswith(("iam:", "sts:")):
        start_response("403 Forbidden" if "Denied" in code else "400 Bad Request", [("Content-Type", "text/xml")])
        xml = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return [f"{xml}<RequestId>1</RequestId></ErrorResponse>".encode()]
    return _json(400, {"__type": code, "message": message}, start_response)


def _json(status: int, body: Any, start_response: Any) -> Iterable[bytes]:
    start_response(f"{status} told", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps(body).encode()]


def _attach(account: str, partition: str, attachments: list[tuple[str, str]]) -> None:
    from moto.iam.models import iam_backends

    backend = iam_backends[account][partition]
    arns = {policy.name: arn for arn, policy in backend.managed_policies.items()}
    known = {
        "role": {role.name for role in backend.get_roles()},
        "user": set(backend.users),
        "group": set(backend.groups),
    }
    make = {
        "role": lambda name, path: backend.create_role(name, "{}", path, None, "", [], "3600"),
        "user": lambda name, path: backend.create_user("us-east-1", name, path),
        "group": lambda name, path: backend.create_group(name, path),
    }
    attach = {
        "role": backend.attach_role_policy,
        "user": backend.attach_user_policy,
        "group": backend.attach_group_policy,
    }
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
    for principal, policy in attachments:
        kind, _, rest = principal.partition("/")
        path, _, name = f"/{rest}".rpartition("/")
        if name not in known[kind]:
            make[kind](name, path + "/")
            known[kind].add(name)
        policy_path, _, policy_name = f"/{policy}".rpartition("/")
        if policy_name not in arns:
            arns[policy_name] = backend.create_policy("", policy_path + "/", document, policy_name, []).arn
        attach[kind](arns[policy_name], name)


def _sources(accounts: Iterable[str]) -> list[dict[str, str]]:
    return [
        {"SourceId": account, "SourceType": "ACCOUNT", "AwsRegion": "us-east-1", "LastUpdateStatus": "SUCCEEDED"}
        for account in accounts
    ]


_SELECT = re.compile(r"SELECT (?P<columns>[\w., ]+) WHERE resourceType IN \((?P<types>[^)]*)\)")


def _select(request: Mapping[str, Any], accounts: Iterable[str]) -> dict[str, Any]:
    """The part of AWS Config's SQL that a query of principals needs, over what moto holds of some accounts."""
    query = _SELECT.fullmatch(request["Expression"])
    assert query, request["Expression"]
    types = [written.strip(" '") for written in query["types"].split(",")]
    found = [entity for entity in _entities(accounts) if entity["resourceType"] in types]
    start, size = int(request.get("NextToken") or 0), int(request.get("Limit") or 25)
    assert size <= 100, "AWS Config takes at most 100"
    columns = [column.strip() for column in query["columns"].split(",")]
    results = [json.dumps(_columns(entity, columns)) for entity in found[start : start + size]]
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"Results": results, "QueryInfo": {"SelectFields": [{"Name": column} for column in columns]}} | more


def _columns(entity: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for column in columns:
        outer, _, inner = column.partition(".")
        if inner:
            chosen.setdefault(outer, {})[inner] = entity[outer][inner]
        else:
            chosen[outer] = entity[outer]
    return chosen


def _entities(accounts: Iterable[str]) -> Iterator[dict[str, Any]]:
    from moto.iam.models import iam_backends

    for account in accounts:
        backend = iam_backends[account]["aws"]
        for kind, entities in (
            ("Role", backend.get_roles()),
            ("User", backend.users.values()),
            ("Group", backend.groups.values()),
        ):
            for entity in entities:
                policies = [{"policyArn": arn, "policyName": arn.rpartition("/")[2]} for arn in entity.managed_policies]
                yield {
                    "accountId": account,
                    "resourceType": f"AWS::IAM::{kind}",
                    "resourceName": entity.name,
                    "configuration": {"path": entity.path, "attachedManagedPolicies": policies},
                }


def _entities_for_policy(self: Any) -> Any:
    """moto answers without pages, leaves out every role after the first hundred, and knows no boundary's usage."""
    from moto.core.responses import ActionResult

    arn, start = self._get_param("PolicyArn"), int(self._get_param("Marker") or 0)
    size = int(self._get_param("MaxItems") or 100)
    assert 1 <= size <= 1000, "IAM takes at most 1000"
    boundaries = self._get_param("PolicyUsageFilter") != "PermissionsPolicy"
    everyone = [
        (answer, entity)
        for answer, entities in (
            ("PolicyGroups", self.backend.groups.values()),
            ("PolicyUsers", self.backend.users.values()),
            ("PolicyRoles", self.backend.get_roles()),
        )
        for entity in entities
        if arn in entity.managed_policies
        or (boundaries and getattr(entity, "permissions_boundary_arn", None) == arn)  # of a role
    ]
    shown = everyone[start : start + size]
    more = {"Marker": str(start + size)} if start + size < len(everyone) else {}
    answers = ("PolicyGroups", "PolicyUsers", "PolicyRoles")
    listed = {answer: [entity for kind, entity in shown if kind == answer] for answer in answers}
    return ActionResult(listed | {"IsTruncated": bool(more)} | more)


def _account_of_key(access_key: str) -> str:
    """moto looks into every partition of every account, and makes those that are missing, with all their policies."""
    from moto.iam.models import iam_backends

    for account, backends in list(iam_backends.items()):
        if any(access_key in backend.access_keys for backend in list(backends.values())):
            return str(account)
    return "000000000000"


def serve() -> None:
    import moto.iam.models
    from moto.iam.responses import IamResponse
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    moto.iam.models.get_account_id_from = _account_of_key
    IamResponse.list_entities_for_policy = _entities_for_policy
    application = Application(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Silent)
    print(server.port, flush=True)
    threading.Thread(target=_stop_with_parent, args=(os.getppid(),), daemon=True).start()
    server.serve_forever()


def _stop_with_parent(parent: int) -> None:
    """Outlive no test run, however that ends."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    serve()
