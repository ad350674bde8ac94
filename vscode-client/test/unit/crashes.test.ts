import assert from "node:assert/strict";
import { test } from "node:test";

import { CrashWindow } from "../../src/crashes";

function at(times: number[]): boolean[] {
  let now = 0;
  const window = new CrashWindow(5, 180, () => now);
  return times.map((seconds) => {
    now = seconds * 1000;
    return window.crashed();
  });
}

test("the fifth crash within 180 seconds is the last", () => {
  assert.deepEqual(at([0, 40, 80, 120, 180]), [true, true, true, true, false]);
});

test("crashes that lie further apart go on for ever", () => {
  assert.deepEqual(at([0, 46, 92, 138, 184, 230, 276]), [true, true, true, true, true, true, true]);
});

test("a start that a person asks for begins the count anew", () => {
  const window = new CrashWindow(2, 180, () => 0);
  assert.equal(window.crashed(), true);
  window.clear();
  assert.equal(window.crashed(), true);
  assert.equal(window.count, 1);
});
