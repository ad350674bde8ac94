import assert from "node:assert/strict";
import { test } from "node:test";

import { expandPath, findOnPath, isInside, Machine } from "../../src/paths";

const posix: Machine = { platform: "linux", env: { PATH: ".:sub:/a:/b", VENV: "/v" }, home: "/home/me", isFile: (f) => f === "/b/uv" || f === "./uv" };
const windows: Machine = { platform: "win32", env: { Path: "C:\\a;D:\\b" }, home: "C:\\Users\\me", isFile: (f) => f === "D:\\b\\python.exe" };

test("variables and the home folder are replaced", () => {
  assert.equal(expandPath("~/env/bin/python", "/ws", posix), "/home/me/env/bin/python");
  assert.equal(expandPath("${workspaceFolder}/x/../py", "/ws", posix), "/ws/py");
  assert.equal(expandPath("${env:VENV}/bin/python", "/ws", posix), "/v/bin/python");
  assert.equal(expandPath("~\\py.exe", "C:\\ws", windows), "C:\\Users\\me\\py.exe");
});

test("a relative path belongs to the workspace folder, a bare name stays one", () => {
  assert.equal(expandPath(".venv/bin/python", "/ws", posix), "/ws/.venv/bin/python");
  assert.equal(expandPath("python3.12", "/ws", posix), "python3.12");
  assert.equal(expandPath("~user/python", undefined, posix), "~user/python");
});

test("relative folders of PATH are never searched", () => {
  assert.equal(findOnPath("uv", posix), "/b/uv");
  assert.equal(findOnPath("pip", posix), undefined);
});

test("on Windows a program has an ending and the variable another spelling", () => {
  assert.equal(findOnPath("python", windows), "D:\\b\\python.exe");
});

test("inside is inside, not beside", () => {
  assert.ok(isInside("/ws/a/b", ["/ws"], posix));
  assert.ok(isInside("/ws", ["/ws"], posix));
  assert.ok(!isInside("/ws2/a", ["/ws"], posix));
  assert.ok(!isInside("/ws/../a", ["/ws"], posix));
  assert.ok(isInside("c:\\WS\\py.exe", ["C:\\ws"], windows));
  assert.ok(!isInside("D:\\ws\\py.exe", ["C:\\ws"], windows));
});
