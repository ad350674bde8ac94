-- Neovim 0.11: nvim --clean -n -l onnx_lint_test.lua, with ONNX_LINT_TEST_PYTHON and FILE (a copy of model.py) set.
-- An error ends it with exit code 1.
local python, file = vim.env.ONNX_LINT_TEST_PYTHON, vim.env.FILE

local function until_true(what, condition)
  assert(vim.wait(60000, condition, 50), "not within 60 s: " .. what)
end

local function find(code)
  for _, d in ipairs(vim.diagnostic.get(0)) do
    if d.code == code then
      return d
    end
  end
end

local function line_of(d)
  return vim.api.nvim_buf_get_lines(0, d.lnum, d.lnum + 1, false)[1]
end

-- As in docs/editors.md.
vim.lsp.config("onnx_lint", {
  cmd = { python, "-m", "onnx_lint", "--lsp" },
  filetypes = { "python" },
  root_markers = { "pyproject.toml", ".git" },
  settings = { onnxLint = { run = "onType" } },
})
vim.lsp.enable("onnx_lint")
vim.cmd.filetype("on")
vim.cmd.edit(file)
vim.bo.filetype = "python"

until_true("diagnostics", function() return find("ONX202") ~= nil and find("ONX207") ~= nil end)
local item = find("ONX202")
assert(line_of(item):sub(item.col + 1, item.end_col) == "x.sum().item()", "range is off: " .. line_of(item):sub(item.col + 1, item.end_col))
assert(item.source == "onnx-lint", item.source)
local client = vim.lsp.get_clients({ name = "onnx_lint" })[1]
print("diagnostic behind an emoji at bytes " .. item.col .. "-" .. item.end_col .. ", positions in " .. client.offset_encoding)

local length = find("ONX207")
vim.api.nvim_win_set_cursor(0, { length.lnum + 1, length.col })
vim.lsp.buf.code_action({ apply = true, filter = function(a) return a.title:find("shape[0]", 1, true) ~= nil end })
until_true("the fix", function() return line_of(length):find("x.shape[0]", 1, true) ~= nil end)
until_true("the diagnostic gone", function() return find("ONX207") == nil end)
vim.cmd("silent write")
assert(table.concat(vim.fn.readfile(file), "\n"):find("rows = x.shape[0]", 1, true), "not saved")
print("code action applied and saved: " .. vim.trim(line_of(length)))

vim.api.nvim_win_set_cursor(0, { item.lnum + 1, item.end_col - 3 })
local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
local hover = assert(client:request_sync("textDocument/hover", params, 30000, 0))
assert(hover.result and #hover.result.contents.value > 0, "no hover")
local document = { textDocument = vim.lsp.util.make_text_document_params(0) }
local lenses = assert(client:request_sync("textDocument/codeLens", document, 30000, 0)).result
assert(lenses[1].command.command == "onnx-lint.export", vim.inspect(lenses))
print("hover and code lens: " .. lenses[1].command.title)

client:stop()
until_true("the server to stop", function() return client:is_stopped() end)
