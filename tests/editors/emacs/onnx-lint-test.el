;;; onnx-lint-test.el --- eglot with onnx-lint  -*- lexical-binding: t -*-
;; emacs --batch -Q -L <folder of eglot and what it needs> -l onnx-lint-test.el
;; with ONNX_LINT_TEST_PYTHON and FILE (a copy of model.py) set.
(package-initialize)
(require 'eglot)
(require 'flymake)
(require 'seq)
(setq eglot-sync-connect 60 eglot-autoshutdown t eglot-confirm-server-initiated-edits nil make-backup-files nil)

(defun onnx-lint-test-fail (format-string &rest arguments)
  (message "FAILED %s" (apply #'format format-string arguments))
  (kill-emacs 1))

(defun onnx-lint-test-until (what condition)
  "Wait until CONDITION gives something, and return it."
  (let ((deadline (+ (float-time) 60)) value)
    (while (and (null (setq value (funcall condition))) (< (float-time) deadline))
      (flymake-start)
      (accept-process-output nil 0.1))
    (or value (onnx-lint-test-fail "not within 60 s: %s" what))))

(defun onnx-lint-test-find (text)
  "The diagnostic that stands over TEXT."
  (seq-find (lambda (d) (equal (buffer-substring (flymake-diagnostic-beg d) (flymake-diagnostic-end d)) text))
            (flymake-diagnostics)))

(let ((python (getenv "ONNX_LINT_TEST_PYTHON")) (file (getenv "FILE")))
  ;; As in docs/editors.md.
  (add-to-list 'eglot-server-programs `(python-mode . (,python "-m" "onnx_lint" "--lsp")))
  (find-file file)
  (python-mode)
  (cl-letf (((symbol-function 'project-current)
             (lambda (&rest _) (cons 'transient (file-name-directory file)))))
    (apply #'eglot (eglot--guess-contact)))
  (let ((item (onnx-lint-test-until "the diagnostic behind the emoji"
                                    (lambda () (onnx-lint-test-find "x.sum().item()")))))
    (message "diagnostic: %s" (flymake-diagnostic-text item)))
  (let* ((length (onnx-lint-test-until "the diagnostic of len" (lambda () (onnx-lint-test-find "len(x)"))))
         (actions (eglot-code-actions (flymake-diagnostic-beg length) (flymake-diagnostic-end length) "quickfix"))
         (fix (seq-find (lambda (action) (string-search "shape[0]" (plist-get action :title))) actions)))
    (unless fix (onnx-lint-test-fail "no fix in %S" actions))
    (eglot--apply-workspace-edit (plist-get fix :edit))
    (onnx-lint-test-until "the diagnostic gone" (lambda () (null (onnx-lint-test-find "len(x)"))))
    (save-buffer)
    (message "code action applied: %s" (plist-get fix :title)))
  (with-temp-buffer
    (insert-file-contents file)
    (unless (search-forward "rows = x.shape[0]" nil t)
      (onnx-lint-test-fail "the file was not saved")))
  (eglot-shutdown (eglot-current-server))
  (kill-emacs 0))
;;; onnx-lint-test.el ends here
