// Drives a real VS Code in headless Chromium as a person would: node ui.mjs <vsix> <folder for pictures> [scenario …]
// The extension is installed from its .vsix and runs with what is bundled in it.
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

import { CodeServer, openBrowser, PYTHON, required, until, WORK, workspace } from "./codeserver.mjs";

const [vsix, pictures, ...asked] = process.argv.slice(2);
mkdirSync(pictures, { recursive: true });
const LONG = { timeout: 90_000 };
// The environment by a short name, for the pictures.
const ENVIRONMENT = join(WORK, "venv");
symlinkSync(dirname(dirname(PYTHON)), ENVIRONMENT);
const INTERPRETER = join(ENVIRONMENT, "bin", "python");
const SQUIGGLE = ".monaco-editor :is(.squiggly-error, .squiggly-warning)";

const browser = await openBrowser();
let failed = 0;
const scenarios = { editing, shapes, exporting, restricted, withoutLibcst };
for (const [name, scenario] of Object.entries(scenarios)) {
  if (asked.length > 0 && !asked.includes(name)) {
    continue;
  }
  const start = Date.now();
  const used = [];
  try {
    await scenario(used);
    console.log(`ok      ${name} (${Math.round((Date.now() - start) / 1000)} s)`);
  } catch (error) {
    failed += 1;
    await used[1]?.screenshot({ path: join(WORK, `ui-${name}-failed.png`) });
    console.log(`FAILED  ${name}\n${error.stack}\n${used[0]?.log.slice(-1500) ?? ""}`);
  } finally {
    await used[1]?.context().close();
    used[0]?.stop();
  }
}
await browser.close();
process.exit(failed > 0 ? 1 : 0);

/** A workbench with a file open; what is used goes into `used` first, so that it is ended whatever happens. */
async function openModel(used, settings, options, file = "model.py") {
  const server = new CodeServer(settings, options);
  used.push(server);
  await server.install(vsix);
  await server.start();
  const context = await browser.newContext({ viewport: { width: 1200, height: 760 } });
  const page = await context.newPage();
  used.push(page);
  const folder = workspace();
  await page.goto(server.url(folder, [["openFile", server.remote(`${folder}/${file}`)]]));
  await page.waitForSelector(".monaco-workbench", LONG);
  return { page, folder, server };
}

/** The editor has the focus, the cursor stands at its top. */
async function toTop(page) {
  await page.keyboard.press("Control+Digit1");
  await page.keyboard.press("Control+Home");
}

function step(text) {
  console.log(`        ${text}`);
}

async function shot(page, name) {
  await page.mouse.move(5, 400);
  await page.waitForTimeout(400); // lets animations end; nothing is decided by it
  await page.screenshot({ path: join(pictures, `vscode-${name}.png`) });
}

async function palette(page, command) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input").first().fill(`>${command}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: command }).first().click(LONG);
}

/** The text that lies under a squiggle, from the places of its glyphs on the screen. */
async function textUnder(page, index) {
  return page.evaluate(
    ([selector, at]) => {
      const box = document.querySelectorAll(selector)[at].getBoundingClientRect();
      let text = "";
      for (const line of document.querySelectorAll(".monaco-editor .view-line")) {
        const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          for (let i = 0; i < node.data.length; i += 1) {
            const range = document.createRange();
            range.setStart(node, i);
            range.setEnd(node, i + 1);
            const glyph = range.getBoundingClientRect();
            const [x, y] = [glyph.x + glyph.width / 2, glyph.y + glyph.height / 2];
            if (glyph.width > 0 && box.left < x && x < box.right && box.top - 4 < y && y < box.bottom + 4) {
              text += node.data[i];
            }
          }
        }
      }
      return text.replaceAll("\u00a0", " ");
    },
    [SQUIGGLE, index],
  );
}

async function editing(used) {
  // F8 goes from problem to problem in their order: without this, errors come before the first line's warning
  const settings = { "onnxLint.interpreter": INTERPRETER, "problems.sortOrder": "position" };
  const { page, folder } = await openModel(used, settings);
  await page.waitForSelector(SQUIGGLE, LONG);
  await page.waitForSelector(".codelens-decoration a:has-text('Export to ONNX')", LONG);
  await until("three squiggles at the right characters", async () => {
    const count = await page.locator(SQUIGGLE).count();
    const texts = [];
    for (let i = 0; i < count; i += 1) {
      texts.push(await textUnder(page, i));
    }
    return texts.sort().join("|") === ["len(x)", "x.mean() > 0", "x.sum().item()"].join("|");
  });
  step("squiggles under len(x), x.mean() > 0 and, behind the emoji, x.sum().item()");

  await toTop(page);
  await page.keyboard.press("Control+Shift+KeyM");
  const row = page.locator(".markers-panel .monaco-list-row", { hasText: "ONX202" }).first();
  await row.waitFor(LONG);
  await row.click();
  await page.keyboard.press("ArrowRight");
  await page.locator(".markers-panel .monaco-list-row", { hasText: "is an input of the model" }).first().waitFor(LONG);
  await shot(page, "problems");
  step("Problems row with the place the value came from");

  await page.keyboard.press("Control+KeyJ"); // the panel away
  await toTop(page);
  await until("hover", async () => {
    const box = await page.locator(SQUIGGLE).nth(1).boundingBox();
    if (box === null) {
      return false; // drawn anew at this moment
    }
    await page.mouse.move(5, 5);
    await page.mouse.move(box.x + box.width / 2, box.y + 6, { steps: 5 });
    try {
      await page.waitForSelector(".monaco-hover:not(.hidden):has-text('onnx-lint')", { timeout: 5_000 });
      return true;
    } catch {
      return false; // a lens moved the line meanwhile
    }
  });
  await page.waitForTimeout(600); // it fades in
  await page.screenshot({ path: join(pictures, "vscode-hover.png") });
  step("hover with the diagnostic and its rule");

  await page.keyboard.press("Escape");
  await page.mouse.move(5, 5);
  await toTop(page);
  await page.keyboard.press("F8");
  await page.waitForTimeout(500);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Period");
  await page.locator(".action-widget .monaco-list-row", { hasText: "shape[0]" }).waitFor(LONG);
  await shot(page, "quick-fix");
  await page.keyboard.press("Enter");
  await until("one squiggle less", async () => (await page.locator(SQUIGGLE).count()) === 2);
  await page.keyboard.press("Control+KeyS");
  await until("the file on disk", () => readFileSync(join(folder, "model.py"), "utf8").includes("rows = x.shape[0]"));
  step("quick fix applied and saved");

  await palette(page, "onnx-lint: Show Logs");
  await page.locator(".output-view-container, .output-view, .panel .view-lines", { hasText: "Interpreter:" }).first().waitFor(LONG);
  await shot(page, "logs");
  step("log with the interpreter and the reason");
}

async function shapes(used) {
  const settings = { "onnxLint.interpreter": INTERPRETER, "onnxLint.shapeHints": true, "editor.hover.delay": 100 };
  const { page } = await openModel(used, settings, undefined, "unet.py");
  await toTop(page);
  await page.keyboard.press("Control+KeyG");
  await page.locator(".quick-input-widget input").first().fill(":28");
  await page.keyboard.press("Enter");
  const hint = page.locator(".view-line", { hasText: "float32[B, 16, H, W]" });
  await hint.first().waitFor(LONG);
  await shot(page, "shape-hints");
  step("hints with the shapes of tensors where they are assigned");

  await until("what the model needs", async () => {
    const box = await page.locator(".view-line", { hasText: "self.stem(image)" }).locator("span", { hasText: "image" }).last().boundingBox();
    if (box === null) {
      return false;
    }
    await page.mouse.move(5, 5);
    await page.mouse.move(box.x + box.width - 30, box.y + box.height / 2, { steps: 5 });
    try {
      await page.waitForSelector(".monaco-hover:not(.hidden):has-text('a multiple of 4')", { timeout: 5_000 });
      return true;
    } catch {
      return false;
    }
  });
  await page.waitForTimeout(600); // it fades in
  await page.screenshot({ path: join(pictures, "vscode-shape-hover.png") });
  step("hover with the shape of an input, and what the model needs of it");
}

async function exporting(used) {
  const { page, folder } = await openModel(used, { "onnxLint.interpreter": INTERPRETER });
  await page.waitForSelector(SQUIGGLE, LONG);
  await page.locator(".codelens-decoration a", { hasText: "Export to ONNX" }).first().click(LONG);
  const rows = page.locator(".quick-input-list .monaco-list-row");
  await rows.filter({ hasText: "float32" }).first().waitFor(LONG);
  await rows.filter({ hasText: "x:float32" }).nth(1).click(LONG);
  await until("the input box", async () => (await page.locator(".quick-input-box input").inputValue()).startsWith("x:"));
  await page.locator(".quick-input-box input").fill("x:float32[n=4,3]");
  await page.keyboard.press("Enter");
  await rows.filter({ hasText: "x:float32[n=4,3]" }).first().waitFor(LONG);
  await shot(page, "inputs");
  await rows.first().click();
  step("inputs asked for, changed");
  const progress = page.locator(".notifications-toasts .notification-list-item", { hasText: /Exporting Gate: \w+/ });
  await progress.waitFor(LONG);
  await progress.locator(".monaco-button", { hasText: "Cancel" }).waitFor(LONG);
  step(`progress by stage: ${/Exporting .*/.exec(await progress.innerText())?.[0]}`);
  await shot(page, "progress");
  await page.waitForSelector(".tab:has-text('ONNX export: Gate')", { timeout: 240_000 });
  step("report opened in the editor");
  const frame = await until("the report's text", async () => {
    for (const candidate of page.frames()) {
      const text = await candidate.evaluate(() => document.body?.innerText ?? "").catch(() => "");
      if (text.includes("torchscript") && text.includes("forward")) {
        return candidate;
      }
    }
    return undefined;
  });
  step(`report holds ${(await frame.evaluate(() => document.body.innerText)).length} characters`);
  await page.keyboard.press("Control+KeyB"); // the side bar away
  await palette(page, "Notifications: Clear All Notifications");
  await shot(page, "report");
  await palette(page, "Problems: Focus on Problems View");
  await page.locator(".markers-panel .monaco-list-row", { hasText: "confirmed" }).first().waitFor(LONG);
  await shot(page, "evidence");
  step("diagnostics with evidence: confirmed");
  const made = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".onnx"));
  step(`files: ${made.join(", ") || "none"}`);
}

async function restricted(used) {
  const { page, folder } = await openModel(used, { "onnxLint.interpreter": INTERPRETER }, { trust: true });
  const dialog = page.locator(".monaco-dialog-box");
  await dialog.waitFor(LONG);
  await dialog.locator(".monaco-button", { hasText: /^No/ }).click();
  await page.waitForSelector(SQUIGGLE, LONG);
  await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor(LONG);
  step("Restricted Mode still lints");
  await page.locator(".codelens-decoration a", { hasText: "Export to ONNX" }).first().click(LONG);
  await page.locator(".notifications-toasts", { hasText: "Trust this workspace first" }).waitFor(LONG);
  await shot(page, "restricted");
  const made = readdirSync(folder, { recursive: true }).filter((name) => name.includes("onnx"));
  if (made.length > 0) {
    throw new Error(`an export ran: ${made.join(", ")}`);
  }
  step("and refuses to export");
}

async function withoutLibcst(used) {
  const { page } = await openModel(used, { "onnxLint.interpreter": required("ONNX_LINT_TEST_WITHOUT_LIBCST") });
  const message = page.locator(".notifications-toasts .notification-list-item", { hasText: "needs the package libcst" });
  await message.waitFor(LONG);
  await shot(page, "libcst");
  await message.locator(".monaco-button", { hasText: "Install" }).click();
  await page.waitForSelector(SQUIGGLE, { timeout: 180_000 });
  step("libcst installed at a click, and the file is linted");
}
