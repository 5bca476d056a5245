import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["node_modules/", ".venv/", ".build/", "build/", "dist/", "data/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2023, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "max-lines": ["error", 500],
      "no-unused-vars": ["error", { ignoreRestSiblings: true, varsIgnorePattern: "^_+$" }],
    },
  },
  {
    files: ["web/js/**"],
    languageOptions: { globals: globals.browser },
    rules: { "max-lines-per-function": ["error", 60] },
  },
  { files: ["tests/web/**"], languageOptions: { globals: { ...globals.nodeBuiltin, ...globals.browser } } },
  // A classic script that browsers of 2018 can read: they know no catch without a name.
  {
    files: ["web/js/boot.js"],
    languageOptions: { sourceType: "script" },
    rules: { "no-unused-vars": ["error", { caughtErrors: "none" }] },
  },
];
