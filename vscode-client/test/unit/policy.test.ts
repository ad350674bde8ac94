import assert from "node:assert/strict";
import { test } from "node:test";

import { withPolicy } from "../../src/policy";

test("the policy stands before anything the page loads", () => {
  const page = withPolicy('<!doctype html><html><head lang="en"><style>a{}</style></head><body></body></html>');
  assert.match(page, /<head lang="en"><meta http-equiv="Content-Security-Policy" content="default-src 'none';[^"]*"><style>/);
  assert.equal(page.match(/Content-Security-Policy/g)?.length, 1);
});

test("a <header> is no head, and a page without one gets the policy first", () => {
  assert.match(withPolicy("<header>x</header>"), /^<meta /);
});
